_diunbox() {
    # Words are broken at ":" and "=": put them together again.
    local words=() part broken="" i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)) && [[ $part != [:=]* ]]; then part=$2; fi
        if [[ ${#words[@]} -gt 0 && ( -n $broken || $part == [:=]* ) ]]; then
            words[${#words[@]} - 1]+=$part
        else
            words+=("$part")
        fi
        broken=""
        if [[ ${COMP_WORDS[i]} == *[:=] ]]; then broken=yes; fi
    done
    local last=$((${#words[@]} - 1))
    mapfile -t COMPREPLY < <(
        DIUNBOX_COMPLETE=bash _CLAP_COMPLETE_INDEX=$last _DIUNBOX_QUOTE="${COMP_WORDS[COMP_CWORD]:0:1}" \
            diunbox -- "${words[@]}" 2>/dev/null
    )
    # Bash has the first parts on the line already.
    COMPREPLY=("${COMPREPLY[@]#"${words[last]%"$2"}"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY == *[=/] ]]; then compopt -o nospace; fi
}
complete -o default -F _diunbox diunbox
