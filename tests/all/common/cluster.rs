//! PostgreSQL servers of a single test, on sockets in a folder. They can be frozen, killed and promoted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use crate::common::{eventually, skipped};

/// A server.
pub struct Cluster {
    folder: TempDir,
    /// Whether the folder is a disk of its own.
    is_mounted: bool,
    /// A part of its socket's name.
    port: AtomicU16,
}

impl Cluster {
    /// A server with some settings; `None`, which is said, if PostgreSQL is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        if bin().is_none() {
            return skipped("PostgreSQL is not installed");
        }
        let cluster = Self::empty();
        cluster.create(&[]);
        cluster.configure(settings);
        cluster.again();
        Some(cluster)
    }

    /// A server on a disk of its own, which is small; `None`, which is said, where none can be mounted.
    pub fn on_a_small_disk() -> Option<Self> {
        if bin().is_none() {
            return skipped("PostgreSQL is not installed");
        }
        let mut cluster = Self::empty();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=96m,mode=755", "none"])
            .arg(cluster.folder.path())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            return skipped("no disk can be mounted");
        }
        Command::new("chown").arg("postgres").arg(cluster.folder.path()).status().unwrap();
        cluster.is_mounted = true;
        let segments = ["--wal-segsize=1"];
        cluster.create(&segments);
        cluster.configure(&[
            "min_wal_size = 2MB",
            "max_wal_size = 4MB",
            "restart_after_crash = on",
        ]);
        cluster.again();
        Some(cluster)
    }

    /// Leaves no room on its disk.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.path("filler")).unwrap();
        let block = vec![0; 64 * 1024];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    /// Makes room again. A server that has ended is started.
    pub fn empty_again(&self) {
        fs::remove_file(self.path("filler")).unwrap();
        if std::os::unix::net::UnixStream::connect(self.path(".s.PGSQL.5432")).is_err() {
            self.stop("immediate");
            self.again();
        }
    }

    /// A copy of another server that follows it; from then on that one waits for it with each commit.
    pub fn standby_of(primary: &Self) -> Self {
        let cluster = Self::empty();
        let copied = tool("pg_basebackup")
            .args(["-R", "-U", "postgres", "-h"])
            .arg(primary.folder.path())
            .arg("-D")
            .arg(cluster.data())
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
        cluster.configure(&[]);
        cluster.again();
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        primary.sql("SELECT pg_reload_conf()");
        eventually("the standby follows", || {
            primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync\n"
        });
        cluster
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        if getuid().is_root() {
            Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
        }
        Self { folder, is_mounted: false, port: AtomicU16::new(5432) }
    }

    fn create(&self, more: &[&str]) {
        let how = ["-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres"];
        let created =
            tool("initdb").arg("-D").arg(self.data()).args(how).args(more).output().unwrap();
        assert!(created.status.success(), "{created:?}");
    }

    fn configure(&self, settings: &[&str]) {
        let path = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let folder = self.folder.path().display();
        let own = format!("listen_addresses = ''\nunix_socket_directories = '{folder}'\n");
        fs::write(path, format!("{before}{own}{}\n", settings.join("\n"))).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it, also after a crash.
    pub fn again(&self) {
        let log = self.path("log");
        // The last processes of a killed server may still hold its memory.
        eventually("it starts", || {
            let mut start = tool("pg_ctl");
            start.arg("-D").arg(self.data()).arg("-l").arg(&log).args(["-w", "start"]);
            start.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        });
    }

    /// Asks a role for its password.
    pub fn ask_for_passwords(&self, role: &str) {
        let path = self.data().join("pg_hba.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("local all {role} scram-sha-256\n{before}")).unwrap();
        self.sql("SELECT pg_reload_conf()");
    }

    /// Listens on a free port too, with a certificate for `localhost` that nobody else has signed.
    pub fn listen_with_tls(&self) -> u16 {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut certify = Command::new("openssl");
        certify.args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "rsa:2048",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ]);
        certify.args([
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "server.key",
            "-out",
            "server.crt",
        ]);
        assert!(certify.current_dir(self.data()).output().unwrap().status.success());
        if getuid().is_root() {
            let mut give = Command::new("chown");
            give.args(["postgres", "server.key", "server.crt"])
                .current_dir(self.data())
                .status()
                .unwrap();
        }
        self.sql(&format!("ALTER SYSTEM SET port = {port}"));
        self.sql("ALTER SYSTEM SET listen_addresses = '127.0.0.1'");
        self.sql("ALTER SYSTEM SET ssl = on");
        self.stop("fast");
        self.port.store(port, Ordering::Relaxed);
        self.again();
        port
    }

    pub fn stop(&self, how: &str) {
        let _ = tool("pg_ctl").arg("-D").arg(self.data()).args(["-w", "-m", how, "stop"]).output();
    }

    pub fn promote(&self) {
        let promoted = tool("pg_ctl").arg("-D").arg(self.data()).args(["-w", "promote"]).output();
        assert!(promoted.unwrap().status.success());
    }

    /// Sends all of its processes a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let first: i32 = pid.lines().next().unwrap().parse().unwrap();
        let mut all = vec![first];
        let children = format!("/proc/{first}/task/{first}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
        for pid in all {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        let socket = self.path(".s.PGSQL.5432");
        eventually("it is dead", || std::os::unix::net::UnixStream::connect(&socket).is_err());
    }

    /// How it is called in a URL.
    pub fn host(&self) -> String {
        self.folder.path().display().to_string().replace('/', "%2F")
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.host())
    }

    /// Runs SQL. Returns what it prints: a line per row.
    pub fn sql(&self, sql: &str) -> String {
        self.sql_as("postgres", sql)
    }

    /// The same, as another role.
    pub fn sql_as(&self, role: &str, sql: &str) -> String {
        let url = format!(
            "postgres://{role}@{}:{}/postgres",
            self.host(),
            self.port.load(Ordering::Relaxed)
        );
        let output = Command::new("psql").args(["-qAtX", "-c", sql, &url]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.signal(Signal::CONT);
            self.stop("immediate");
        }
        if self.is_mounted {
            let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        }
        // The last processes of a killed server may still write.
        eventually("its folder is gone", || {
            fs::remove_dir_all(self.data()).is_ok() || !self.data().exists()
        });
    }
}

fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    bins.filter(|bin| bin.join("initdb").exists()).max()
}

/// A tool of the server's, as a user who may run it.
fn tool(name: &str) -> Command {
    let program = bin().unwrap().join(name);
    let mut command;
    if getuid().is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    } else {
        command = Command::new(program);
    }
    command.current_dir(Path::new("/"));
    command
}
