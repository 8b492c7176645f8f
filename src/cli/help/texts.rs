//! The texts of the sections.

use super::Entry::{Example, Term};
use super::Section;

const EXIT: Section = Section { heading: "Exit status", entries: &[
        Term("0", "done"),
        Term("1", "a negative answer: nothing of that name, or --exit-code found something"),
        Term("2", "an error: usage, input or database"),
    ] };

pub(super) const EXIT_STATUS: &[Section] = &[
    EXIT,
];

pub(super) const PROGRAM: &[Section] = &[
    EXIT,
    Section { heading: "Environment", entries: &[
        Term("DIUNBOX_DB", "the database, unless --db or DIUNBOX_DB_FILE is given"),
        Term("DIUNBOX_DB_FILE", "a file that holds the database's path or URL, unless --db is given"),
        Term("PGPASSWORD, PGPASSFILE", "the password of a PostgreSQL URL that has none, or the file with it"),
        Term("NO_COLOR", "no colour and no links, unless --color is given"),
        Term("XDG_DATA_HOME", "the user's data directory; ~/.local/share if it is not set"),
    ] },
    Section { heading: "Files", entries: &[
        Term("~/.local/share/diunbox/diunbox.db", "the database, with its -wal and -shm files"),
        Term("/var/lib/diunbox/diunbox.db", "the database of the systemd service"),
    ] },
    Section { heading: "Examples", entries: &[
        Example("Store a notification, as the command of Diun's script notifier", &["diunbox ingest --from-env"]),
        Example("List pending updates, then acknowledge one", &["diunbox list", "diunbox ack nginx:1.27"]),
    ] },
];

pub(super) const INGEST: &[Section] = &[
    Section { heading: "Environment", entries: &[
        Term("DIUN_VERSION, DIUN_HOSTNAME, DIUN_ENTRY_*", "the event, for --from-env; Diun sets them"),
    ] },
    Section { heading: "Examples", entries: &[
        Example("Ingest a file of events, one object per line", &["diunbox ingest events.ndjson"]),
        Example("Ingest events as they arrive", &["tail -f events.ndjson | diunbox ingest"]),
        Example("Ingest one event, as the command of Diun's script notifier", &["diunbox ingest --from-env"]),
    ] },
];

pub(super) const WATCH: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Run a program for each update", &["diunbox watch --exec ./notify"]),
        Example("Process them as JSON, one per line", &["diunbox watch --format ndjson | while read -r line; do echo \"$line\"; done"]),
    ] },
];

pub(super) const LIST: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("List what one host needs, if it is not older than a day", &["diunbox list --host web1 --since 1d"]),
        Example("List all images of one registry as JSON", &["diunbox list --all --image 'ghcr.io/*' --format json"]),
        Example("Pull every pending image", &["diunbox list -0 | xargs -0 -n 1 docker pull"]),
    ] },
];

pub(super) const SHOW: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Show one image", &["diunbox show nginx:1.27"]),
        Example("Show where it runs, as JSON", &["diunbox show nginx:1.27 --format json"]),
    ] },
];

pub(super) const ACK: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Acknowledge two images", &["diunbox ack nginx:1.27 redis:7"]),
        Example("Acknowledge all images of one registry", &["diunbox ack 'ghcr.io/*'"]),
        Example("Acknowledge everything on one host", &["diunbox ack --all --host web1"]),
        Example("Acknowledge what a list showed, except what has changed since", &["diunbox list --format ndjson > seen.ndjson", "diunbox ack - < seen.ndjson"]),
    ] },
];

pub(super) const REOPEN: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Reopen an update that was acknowledged by mistake", &["diunbox reopen nginx:1.27"]),
        Example("Reopen all snoozed updates on one host", &["diunbox reopen --all --snoozed --host web1"]),
    ] },
];

pub(super) const SNOOZE: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Hide an update for a week", &["diunbox snooze postgres:17 --for 7d"]),
        Example("Hide all images of one registry until after the holidays", &["diunbox snooze 'ghcr.io/*' --until 2027-01-07T09:00"]),
    ] },
];

pub(super) const IGNORE: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Hide nightly builds", &["diunbox ignore add '*:nightly*' --note 'only for tests'"]),
        Example("Show them again", &["diunbox ignore remove '*:nightly*'"]),
    ] },
];

pub(super) const UNDO: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Undo the last action", &["diunbox undo"]),
        Example("Undo an earlier one", &["diunbox history", "diunbox undo 12"]),
    ] },
];

pub(super) const HISTORY: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Show the decisions about an image", &["diunbox history nginx:1.27"]),
    ] },
];

pub(super) const TAG: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Create a tag, and assign it to two images", &["diunbox tag create web", "diunbox tag assign web nginx:1.27 caddy:2"]),
        Example("List the images with it", &["diunbox list --all --tag web"]),
    ] },
];

pub(super) const STATUS: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Show the counts in a login message", &["diunbox status"]),
        Example("Run a command if nothing is pending", &["diunbox status --exit-code && echo all is well"]),
    ] },
];

pub(super) const RECONCILE: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Close the updates that this host already runs", &["ids=$(docker ps -aq); docker inspect $ids $(docker inspect -f '{{.Image}}' $ids) | diunbox reconcile --host nas"]),
        Example("The same for a Kubernetes cluster", &["kubectl get pods -A -o json | diunbox reconcile --host '*' --provider kubernetes"]),
        Example("Store events that the inbox missed", &["docker exec diun diun image list --raw | diunbox reconcile"]),
    ] },
];

pub(super) const HOSTS: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Show which hosts need updates", &["diunbox hosts"]),
        Example("Print the address for the heartbeats of a host's Diun", &["diunbox hosts --ping nas"]),
    ] },
];

pub(super) const PRUNE: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Show what would be removed", &["diunbox prune --older-than 90d --dry-run"]),
    ] },
];

pub(super) const BACKUP: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Replace last night's backup", &["diunbox backup --force diunbox-backup.db"]),
    ] },
];

pub(super) const IMPORT: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Bring the inboxes of two hosts together", &["diunbox import /mnt/edge-1/diunbox.db"]),
    ] },
];

pub(super) const SERVE: &[Section] = &[
    Section { heading: "Environment", entries: &[
        Term("DIUNBOX_LISTEN", "where to listen, unless --listen is given"),
        Term("DIUNBOX_TOKEN", "the token that clients must send"),
        Term("DIUNBOX_TOKEN_FILE", "a file with the token, unless --token-file is given"),
        Term("LISTEN_FDS", "sockets that systemd hands over"),
    ] },
    Section { heading: "Examples", entries: &[
        Example("Accept events from this machine only", &["diunbox serve"]),
        Example("Accept events from other hosts, protected by a token", &["diunbox serve --listen 0.0.0.0:3486 --token-file token"]),
    ] },
];

pub(super) const HEALTHCHECK: &[Section] = &[
    Section { heading: "Environment", entries: &[
        Term("DIUNBOX_LISTEN", "where serve listens, unless --listen is given"),
    ] },
    Section { heading: "Examples", entries: &[
        Example("Check a container's health, in its Dockerfile", &["HEALTHCHECK CMD [\"diunbox\", \"healthcheck\"]"]),
    ] },
];

pub(super) const COMPLETIONS: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Complete in bash, from a line in ~/.bashrc", &["source <(diunbox completions bash)"]),
        Example("Complete in zsh, from a line in ~/.zshrc below that of compinit", &["source <(diunbox completions zsh)"]),
        Example("Complete in fish", &["diunbox completions fish > ~/.config/fish/completions/diunbox.fish"]),
        Example("Complete in Elvish, from a line in ~/.config/elvish/rc.elv", &["eval (diunbox completions elvish | slurp)"]),
        Example("Complete in PowerShell, from a line in $PROFILE", &["diunbox completions powershell | Out-String | Invoke-Expression"]),
    ] },
];

pub(super) const MAN: &[Section] = &[
    Section { heading: "Examples", entries: &[
        Example("Write the pages to a directory, and read one", &["diunbox man ~/.local/share/man/man1", "man -M ~/.local/share/man diunbox"]),
    ] },
];
