//! A session: retries where that can help, and never applies a change twice.

use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::copy::Copy;
use super::failure::Failure;
use super::schema;
use super::transaction::{Ledger, Transaction};
use super::url::Address;

/// The pause before the second attempt, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(640)];

/// A connection that is opened when it is needed, and opened again when it is lost.
pub(super) struct Session {
    connection: Option<Connection>,
    /// The index of the host to try first.
    host: usize,
    copy: Copy,
    ledger: Ledger,
}

/// What all sessions share.
pub(super) struct Server {
    pub(super) address: Address,
    pub(super) tls: MakeRustlsConnect,
    /// How long an operation retries.
    pub(super) patience: Duration,
}

impl Session {
    pub(super) fn new() -> Result<Self, Failure> {
        let copy = Copy::new()?;
        let writer = copy.random()?;
        Ok(Self { connection: None, host: 0, copy, ledger: Ledger { writer, seq: 0 } })
    }

    /// The ledger for the next change.
    pub(super) fn next(&mut self) -> Ledger {
        self.ledger.seq += 1;
        self.ledger.clone()
    }

    /// Reads in one transaction.
    pub(super) fn read<T>(
        &mut self,
        server: &Server,
        deadline: Instant,
        work: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.retry(server, deadline, |connection, copy| {
            let transaction = Transaction::to_read(connection, copy)?;
            let result = work(&transaction)?;
            transaction.roll_back()?;
            Ok(result)
        })
    }

    /// Applies a change in one transaction, exactly once. If the answer to the commit is lost, the next attempt
    /// finds out from the ledger whether the change was stored, and returns the result of the first attempt.
    pub(super) fn write<T>(
        &mut self,
        server: &Server,
        deadline: Instant,
        ledger: &Ledger,
        work: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut found = None;
        self.retry(server, deadline, |connection, copy| {
            let transaction = Transaction::to_write(connection, copy, ledger)?;
            match work(&transaction) {
                Ok(result) => {
                    found = Some(result);
                    transaction.commit()?;
                }
                Err(Failure::Stored) => transaction.confirm()?,
                Err(failure) => return Err(failure),
            }
            found.take().ok_or(Failure::Stored)
        })
    }

    /// Runs statements that need no working copy.
    pub(super) fn ask<T>(
        &mut self,
        server: &Server,
        deadline: Instant,
        work: impl Fn(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.retry(server, deadline, |connection, _| work(connection))
    }

    fn retry<T>(
        &mut self,
        server: &Server,
        deadline: Instant,
        mut attempt: impl FnMut(&Connection, &Copy) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let [mut pause, longest] = PAUSES;
        loop {
            let connected = self.connect(server, deadline);
            let result = connected.and_then(|connection| {
                let result = attempt(&connection, &self.copy);
                self.connection = Some(connection);
                result
            });
            let failure = match result {
                Ok(result) => return Ok(result),
                Err(failure) => failure,
            };
            if failure.ends_connection() {
                self.connection = None;
                // Try the next host first: this one may be frozen.
                self.host += 1;
            } else if let Some(connection) = &self.connection {
                // A connection that cannot roll back is closed.
                if connection.run("ROLLBACK").is_err() {
                    self.connection = None;
                }
            }
            if !failure.may_pass() || Instant::now() + pause >= deadline {
                return Err(failure);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(longest);
        }
    }

    /// Takes the connection out of the session while it is used, or opens one.
    fn connect(&mut self, server: &Server, deadline: Instant) -> Result<Connection, Failure> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let Server { address, tls, .. } = server;
        let (connection, host) = Connection::open(address, tls, self.host, deadline)?;
        self.host = host;
        schema::prepare(&connection)?;
        Ok(connection)
    }
}
