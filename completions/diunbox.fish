complete --keep-order --exclusive --command diunbox --arguments "(DIUNBOX_COMPLETE=fish diunbox -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
