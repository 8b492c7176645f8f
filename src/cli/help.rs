//! The sections below the options in the long help and the manual pages.
//!
//! A section is a heading that ends in a colon, and indented lines: either a term and, after two
//! spaces or more, what it means; or a sentence that ends in a colon, and the command it speaks of,
//! indented further.

macro_rules! exit_status {
    () => {
        "\
Exit status:
  0  done
  1  a negative answer: nothing of that name, or --exit-code found something
  2  an error: usage, input or database"
    };
}

pub(super) const EXIT_STATUS: &str = exit_status!();

// The long help takes the place of the short one.
pub(super) const PROGRAM: &str = concat!(
    exit_status!(),
    "

Environment:
  DIUNBOX_DB     the database, unless --db is given
  NO_COLOR       no colour and no links, unless --color is given
  XDG_DATA_HOME  the user's data directory; ~/.local/share if it is not set

Files:
  ~/.local/share/diunbox/diunbox.db  the database, in SQLite's format; while it is in use there are
                                     files that end in -wal and -shm beside it
  /var/lib/diunbox/diunbox.db        the database of the systemd service

Examples:
  Store a notification, as the command of Diun's script notifier:
    diunbox ingest --from-env
  List pending updates, then acknowledge one:
    diunbox list
    diunbox ack nginx:1.27"
);

pub(super) const INGEST: &str = "\
Environment:
  DIUN_VERSION, DIUN_HOSTNAME, DIUN_ENTRY_*  the event, for --from-env; Diun sets them

Examples:
  Ingest a file of events, one object per line:
    diunbox ingest events.ndjson
  Ingest events as they arrive:
    tail -f events.ndjson | diunbox ingest
  Ingest one event, as the command of Diun's script notifier:
    diunbox ingest --from-env";

pub(super) const WATCH: &str = "\
Examples:
  Run a program for each update:
    diunbox watch --exec ./notify
  Process them as JSON, one per line:
    diunbox watch --format ndjson | while read -r line; do echo \"$line\"; done";

pub(super) const LIST: &str = "\
Examples:
  List what one host needs, if it is not older than a day:
    diunbox list --host web1 --since 1d
  List all images of one registry as JSON:
    diunbox list --all --image 'ghcr.io/*' --format json
  Pull every pending image:
    diunbox list -0 | xargs -0 -n 1 docker pull";

pub(super) const SHOW: &str = "\
Examples:
  Show one image:
    diunbox show nginx:1.27
  Show where it runs, as JSON:
    diunbox show nginx:1.27 --format json";

pub(super) const ACK: &str = "\
Examples:
  Acknowledge two images:
    diunbox ack nginx:1.27 redis:7
  Acknowledge all images of one registry:
    diunbox ack 'ghcr.io/*'
  Acknowledge everything on one host:
    diunbox ack --all --host web1
  Acknowledge what a list showed, except what has changed since:
    diunbox list --format ndjson > seen.ndjson
    diunbox ack - < seen.ndjson";

pub(super) const REOPEN: &str = "\
Examples:
  Reopen an update that was acknowledged by mistake:
    diunbox reopen nginx:1.27
  Reopen all snoozed updates on one host:
    diunbox reopen --all --snoozed --host web1";

pub(super) const SNOOZE: &str = "\
Examples:
  Hide an update for a week:
    diunbox snooze postgres:17 --for 7d
  Hide all images of one registry until after the holidays:
    diunbox snooze 'ghcr.io/*' --until 2027-01-07T09:00";

pub(super) const IGNORE: &str = "\
Examples:
  Hide nightly builds:
    diunbox ignore add '*:nightly*' --note 'only for tests'
  Show them again:
    diunbox ignore remove '*:nightly*'";

pub(super) const UNDO: &str = "\
Examples:
  Undo the last action:
    diunbox undo
  Undo an earlier one:
    diunbox history
    diunbox undo 12";

pub(super) const HISTORY: &str = "\
Examples:
  Show the decisions about an image:
    diunbox history nginx:1.27";

pub(super) const TAG: &str = "\
Examples:
  Create a tag, and assign it to two images:
    diunbox tag create web
    diunbox tag assign web nginx:1.27 caddy:2
  List the images with it:
    diunbox list --all --tag web";

pub(super) const STATUS: &str = "\
Examples:
  Show the counts in a login message:
    diunbox status
  Run a command if nothing is pending:
    diunbox status --exit-code && echo all is well";

pub(super) const RECONCILE: &str = "\
Examples:
  Close the updates that this host already runs:
    ids=$(docker ps -aq); docker inspect $ids $(docker inspect -f '{{.Image}}' $ids) | diunbox reconcile --host nas
  The same for a Kubernetes cluster:
    kubectl get pods -A -o json | diunbox reconcile --host '*' --provider kubernetes
  Store events that the inbox missed:
    docker exec diun diun image list --raw | diunbox reconcile";

pub(super) const HOSTS: &str = "\
Examples:
  Show which hosts need updates:
    diunbox hosts
  Print the address for the heartbeats of a host's Diun:
    diunbox hosts --ping nas";

pub(super) const PRUNE: &str = "\
Examples:
  Show what would be removed:
    diunbox prune --older-than 90d --dry-run";

pub(super) const BACKUP: &str = "\
Examples:
  Replace last night's backup:
    diunbox backup --force diunbox-backup.db";

pub(super) const IMPORT: &str = "\
Examples:
  Bring the inboxes of two hosts together:
    diunbox import /mnt/edge-1/diunbox.db";

pub(super) const SERVE: &str = "\
Environment:
  DIUNBOX_LISTEN      where to listen, unless --listen is given
  DIUNBOX_TOKEN       the token that clients must send
  DIUNBOX_TOKEN_FILE  a file with the token, unless --token-file is given
  LISTEN_FDS          sockets that systemd hands over

Examples:
  Accept events from this machine only:
    diunbox serve
  Accept events from other hosts, protected by a token:
    diunbox serve --listen 0.0.0.0:3486 --token-file token";

pub(super) const HEALTHCHECK: &str = "\
Environment:
  DIUNBOX_LISTEN  where serve listens, unless --listen is given

Examples:
  Check a container's health, in its Dockerfile:
    HEALTHCHECK CMD [\"diunbox\", \"healthcheck\"]";

pub(super) const COMPLETIONS: &str = "\
Examples:
  Complete in bash, from a line in ~/.bashrc:
    source <(diunbox completions bash)
  Complete in zsh, from a line in ~/.zshrc below that of compinit:
    source <(diunbox completions zsh)
  Complete in fish:
    diunbox completions fish > ~/.config/fish/completions/diunbox.fish
  Complete in Elvish, from a line in ~/.config/elvish/rc.elv:
    eval (diunbox completions elvish | slurp)
  Complete in PowerShell, from a line in $PROFILE:
    diunbox completions powershell | Out-String | Invoke-Expression";

pub(super) const MAN: &str = "\
Examples:
  Write the pages to a directory, and read one:
    diunbox man ~/.local/share/man/man1
    man -M ~/.local/share/man diunbox";
