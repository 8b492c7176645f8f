//! One connection to a server, driven by the thread that uses it.
//!
//! Each wait has a time-out of its own: a frozen server keeps its connections open, and its kernel still
//! acknowledges packets.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::poll_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Row, RowStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::Failure;
use super::url::Address;
use super::value::Statement;
use crate::store::{ErrorKind, StoreError};

/// How long to wait until a server accepts a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long to wait for the next row, or for the end of a statement. Large changes are split into many statements.
const ANSWER: Duration = Duration::from_millis(2_500);

/// Statements that a connection keeps prepared.
const PREPARED: usize = 128;

/// One connection.
pub(super) struct Connection {
    runtime: Runtime,
    /// `None` only while it is being dropped.
    client: Option<Client>,
    /// Whether the server has sent a warning since a transaction began.
    has_warned: Arc<AtomicBool>,
    /// Whether statements are prepared; those seen so far, each with its prepared form.
    prepares: bool,
    prepared: RefCell<HashMap<String, Option<tokio_postgres::Statement>>>,
    /// When the server last answered.
    answered: Cell<Instant>,
    /// The version of the schema; 0 if there is none.
    pub(super) version: i64,
}

impl Connection {
    /// Connects to the first host that can be written to. The search begins at `first`.
    pub(super) fn open(
        address: &Address,
        tls: &MakeRustlsConnect,
        first: usize,
        deadline: Instant,
    ) -> Result<(Self, usize), Failure> {
        let mut failure = None;
        let count = address.hosts.len();
        for index in (0..count).map(|offset| (first + offset) % count) {
            let deadline = deadline.min(Instant::now() + CONNECT);
            match Self::to(&address.hosts[index], address.prepares, tls, deadline) {
                Ok(connection) => return Ok((connection, index)),
                // The error of another host may be more useful.
                Err(found) if failure.is_none() || !found.may_pass() => failure = Some(found),
                Err(_) => {}
            }
        }
        Err(failure.unwrap_or_else(|| Failure::Unreachable("there was no time left".into())))
    }

    fn to(
        config: &tokio_postgres::Config,
        prepares: bool,
        tls: &MakeRustlsConnect,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            StoreError::new(ErrorKind::Other, format!("cannot connect to a server: {error}"))
        })?;
        let connecting = config.connect(tls.clone());
        let connecting = runtime.block_on(async { timeout_at(deadline.into(), connecting).await });
        let (client, connection) = match connecting {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(Failure::of_connecting(error)),
            Err(_) => return Err(Failure::Unreachable("it did not answer in time".into())),
        };
        let has_warned = Arc::new(AtomicBool::new(false));
        runtime.spawn(drive(connection, Arc::clone(&has_warned)));
        let mut connection = Self {
            runtime,
            client: Some(client),
            has_warned,
            prepares,
            prepared: RefCell::default(),
            answered: Cell::new(Instant::now()),
            version: 0,
        };
        connection.greet(deadline)?;
        Ok(connection)
    }

    /// Checks that the server can be written to and stores UTF-8, and reads the version of the schema.
    fn greet(&mut self, deadline: Instant) -> Result<(), Failure> {
        let sql =
            "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,
            current_setting('server_encoding'), to_regclass('diunbox_schema') IS NOT NULL";
        let row = self
            .query_until(deadline, &Statement::new(sql, Vec::new()))?
            .pop()
            .ok_or_else(nothing)?;
        if row.try_get(0)? {
            let message = "the server can only be read".to_owned();
            return Err(Failure::Refused { code: SqlState::READ_ONLY_SQL_TRANSACTION, message });
        }
        let encoding: &str = row.try_get(1)?;
        if encoding != "UTF8" {
            let what = format!(
                "has the encoding {encoding}, which cannot hold all names: create a database with \
                 `createdb --encoding=UTF8 --template=template0`"
            );
            return Err(Failure::Unfit(ErrorKind::Unusable, what));
        }
        if row.try_get(2)? {
            let version = Statement::new("SELECT version FROM diunbox_schema", Vec::new());
            let rows = self.query_until(deadline, &version)?;
            self.version = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        }
        Ok(())
    }

    /// Runs a statement, and returns its rows.
    pub(super) fn query(&self, statement: &Statement) -> Result<Vec<Row>, Failure> {
        self.query_until(Instant::now() + ANSWER, statement)
    }

    fn query_until(&self, deadline: Instant, statement: &Statement) -> Result<Vec<Row>, Failure> {
        let patience = deadline.saturating_duration_since(Instant::now());
        let rows = self.together_within(patience, std::slice::from_ref(statement))?.pop();
        Ok(rows.unwrap_or_default())
    }

    /// Sends statements together, and waits for all answers.
    pub(super) fn together(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Failure> {
        self.together_within(ANSWER, statements)
    }

    /// The same. Each row, and the end of each statement, must come so soon after the one before.
    fn together_within(
        &self,
        patience: Duration,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, Failure> {
        let client = self.client()?;
        self.prepare(Instant::now() + patience, statements)?;
        let prepared = self.prepared.borrow();
        let values: Vec<_> = statements.iter().map(Statement::typed).collect();
        let sent = statements.iter().zip(&values).map(|(statement, values)| {
            let ready = prepared.get(&statement.sql).and_then(Option::as_ref);
            async move {
                let rows = match ready {
                    Some(ready) => {
                        let values = values.iter().map(|(value, _)| *value);
                        client.query_raw(ready, values).await?
                    }
                    None => client.query_typed_raw(&statement.sql, values.iter().cloned()).await?,
                };
                let (mut rows, mut all) = (pin!(rows), Vec::new());
                while let Some(row) = rows.next().await {
                    self.answered.set(Instant::now());
                    all.push(row?);
                }
                self.answered.set(Instant::now());
                Ok::<_, tokio_postgres::Error>(all)
            }
        });
        let mut answers = pin!(try_join_all(sent));
        self.answered.set(Instant::now());
        self.runtime.block_on(async {
            loop {
                let deadline = self.answered.get() + patience;
                match timeout_at(deadline.into(), &mut answers).await {
                    Ok(result) => return Ok(result?),
                    // More has come meanwhile.
                    Err(_) if self.answered.get() + patience > deadline => {}
                    Err(_) => return Err(late()),
                }
            }
        })
    }

    /// Prepares statements that are seen for the second time, so that the server parses and plans them once.
    fn prepare(&self, deadline: Instant, statements: &[Statement]) -> Result<(), Failure> {
        if !self.prepares {
            return Ok(());
        }
        let client = self.client()?;
        let mut prepared = self.prepared.borrow_mut();
        let mut again = Vec::new();
        for statement in statements {
            match prepared.get(&statement.sql) {
                None if prepared.len() < PREPARED => {
                    prepared.insert(statement.sql.clone(), None);
                }
                Some(None) => again.push(statement),
                _ => {}
            }
        }
        let sent = again.iter().map(|statement| async {
            let kinds: Vec<_> = statement.typed().into_iter().map(|(_, kind)| kind).collect();
            client.prepare_typed(&statement.sql, &kinds).await
        });
        let ready = self.wait(deadline, try_join_all(sent))?;
        for (statement, ready) in again.into_iter().zip(ready) {
            prepared.insert(statement.sql.clone(), Some(ready));
        }
        Ok(())
    }

    /// Runs a script of statements that return nothing.
    pub(super) fn run(&self, script: &str) -> Result<(), Failure> {
        self.wait(Instant::now() + ANSWER, self.client()?.batch_execute(script))
    }

    /// Runs a statement, and passes its rows on one by one: there may be more than fit into memory.
    pub(super) fn each(
        &self,
        statement: &Statement,
        mut work: impl FnMut(&Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let rows = self.client()?.query_typed_raw(&statement.sql, statement.typed());
        let mut rows = Box::pin(self.wait(Instant::now() + ANSWER, rows)?);
        let next = |rows: &mut Pin<Box<RowStream>>| {
            self.wait(Instant::now() + ANSWER, async { rows.next().await.transpose() })
        };
        while let Some(row) = next(&mut rows)? {
            work(&row)?;
        }
        Ok(())
    }

    /// Whether the server has sent a warning since this was last asked.
    pub(super) fn has_warned(&self) -> bool {
        self.has_warned.swap(false, Ordering::Relaxed)
    }

    fn client(&self) -> Result<&Client, Failure> {
        self.client.as_ref().ok_or_else(|| Failure::Lost("the connection was closed".into()))
    }

    fn wait<T>(
        &self,
        deadline: Instant,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        match self.runtime.block_on(async { timeout_at(deadline.into(), future).await }) {
            Ok(result) => Ok(result?),
            Err(_) => Err(late()),
        }
    }
}

fn late() -> Failure {
    Failure::Lost("it did not answer in time".into())
}

/// Receives what the server sends, while the thread that uses the connection waits.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, has_warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut messages = poll_fn(|context| connection.poll_message(context));
    while let Some(Ok(message)) = messages.next().await {
        // A write that was not replicated is reported as a success with a warning.
        if matches!(&message, AsyncMessage::Notice(notice) if notice.code().code() == "01000") {
            has_warned.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Gives the connection a moment to end in order.
        self.client = None;
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
        });
    }
}

pub(super) fn nothing() -> Failure {
    StoreError::new(ErrorKind::Other, "the server returned no row").into()
}
