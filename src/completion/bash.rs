//! Bash breaks words at `:` and `=`, which image names contain, and inserts the offered text without quoting it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::EnvCompleter;

use super::is_plain;

/// The variable with the start of the word, for example a quote.
const QUOTE: &str = "_DIUNBOX_QUOTE";

const SCRIPT: &str = r#"
_NAME() {
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
        VAR=bash _CLAP_COMPLETE_INDEX=$last QUOTE="${COMP_WORDS[COMP_CWORD]:0:1}" \
            COMPLETER -- "${words[@]}" 2>/dev/null
    )
    # Bash has the first parts on the line already.
    COMPREPLY=("${COMPREPLY[@]#"${words[last]%"$2"}"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && $COMPREPLY == *[=/] ]]; then compopt -o nospace; fi
}
complete -o default -F _NAME BIN
"#;

#[derive(Debug)]
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let script = SCRIPT
            .replace("QUOTE", QUOTE)
            .replace("VAR", var)
            .replace("NAME", name)
            .replace("BIN", bin)
            .replace("COMPLETER", completer);
        buf.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let in_quotes = std::env::var(QUOTE).is_ok_and(|quote| quote == "\"" || quote == "'");
        let last = words.len().saturating_sub(1);
        for candidate in engine::complete(command, words, last, folder)? {
            if let Some(quoted) = quoted(&candidate.get_value().to_string_lossy(), in_quotes) {
                writeln!(buf, "{quoted}")?;
            }
        }
        Ok(())
    }
}

/// A word with the quoting that it needs; `None` if it cannot be quoted.
fn quoted(word: &str, in_quotes: bool) -> Option<String> {
    let is_plain = |c: char| is_plain(c) || "=~".contains(c);
    if in_quotes {
        return word.chars().all(|c| is_plain(c) || c == ' ').then(|| word.to_owned());
    }
    if word.contains(char::is_control) {
        return None;
    }
    let mut quoted = String::with_capacity(word.len());
    for c in word.chars() {
        if !is_plain(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    Some(quoted)
}
