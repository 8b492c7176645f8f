//! Passwords that are not in the URL: `PGPASSWORD`, and libpq's
//! [password file](https://www.postgresql.org/docs/current/libpq-pgpass.html).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio_postgres::Config;

/// Permissions of the group and of others.
const OPEN: u32 = 0o077;

/// The password for a host and port, if there is one.
///
/// # Errors
/// If a password file cannot be read, or if other users can read it.
pub(super) fn find(
    host: &[String; 2],
    config: &Config,
    file: Option<&Path>,
) -> Result<Option<String>, String> {
    if let Ok(password) = std::env::var("PGPASSWORD") {
        return Ok(Some(password));
    }
    let named =
        file.map(PathBuf::from).or_else(|| std::env::var_os("PGPASSFILE").map(PathBuf::from));
    let home = || etcetera::home_dir().ok().map(|home| home.join(".pgpass"));
    let Some(path) = named.clone().or_else(home) else { return Ok(None) };
    let shown = path.display();
    let found = match fs::metadata(&path) {
        Ok(found) if found.is_file() => found,
        _ if named.is_none() => return Ok(None),
        _ => return Err(format!("the password file {shown} is missing")),
    };
    if found.mode() & OPEN != 0 {
        return Err(format!(
            "the password file {shown} is open to other users: `chmod 600 {shown}`"
        ));
    }
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read the password file {shown}: {error}"))?;
    let [host, port] = host;
    let names = [
        host.as_str(),
        port,
        config.get_dbname().unwrap_or_default(),
        config.get_user().unwrap_or_default(),
    ];
    Ok(text.lines().find_map(|line| matching(line, names)))
}

/// The password in a line `HOST:PORT:DATABASE:USER:PASSWORD`, if the line matches these names.
fn matching(line: &str, names: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        // The password is the rest of the line.
        match (character, fields.len()) {
            ('\\', _) => fields.last_mut()?.extend(characters.next()),
            (':', 1..=4) => fields.push(String::new()),
            (other, _) => fields.last_mut()?.push(other),
        }
    }
    let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
    // Lines for a Unix socket have this name.
    let is_socket = names[0].starts_with('/') && host == "localhost";
    let fits = |(field, name): (&String, &str)| field == "*" || field == name;
    let is_host = is_socket || fits((&host, names[0]));
    let others = [&port, &database, &user].into_iter().zip(names.into_iter().skip(1));
    (is_host && others.into_iter().all(fits)).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn a_line_is_for_its_host_port_database_and_user() {
        let names = ["db", "5432", "inbox", "diun"];
        let found = |line| matching(line, names);
        assert_eq!(found("db:5432:inbox:diun:secret").as_deref(), Some("secret"));
        assert_eq!(found("*:*:*:diun:a\\:b\\\\c:d").as_deref(), Some("a:b\\c:d"));
        for line in ["", "#db:5432:inbox:diun:secret", "db:5433:inbox:diun:x", "db:5432:inbox:diun"]
        {
            assert_eq!(found(line), None, "{line}");
        }
        let socket = ["/run/postgresql", "5432", "inbox", "diun"];
        assert_eq!(matching("localhost:*:*:*:x", socket).as_deref(), Some("x"));
    }
}
