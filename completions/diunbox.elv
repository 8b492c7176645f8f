set edit:completion:arg-completer[diunbox] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) DIUNBOX_COMPLETE="elvish" diunbox -- $@words) | to-lines
}
