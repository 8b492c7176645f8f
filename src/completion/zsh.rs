//! Zsh loads a completion script at the first request, and expects the script to answer that request, too.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::env::EnvCompleter;

#[derive(Debug)]
pub(super) struct Zsh;

impl EnvCompleter for Zsh {
    fn name(&self) -> &'static str {
        "zsh"
    }

    fn is(&self, name: &str) -> bool {
        name == "zsh"
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let mut script = Vec::new();
        clap_complete::env::Zsh.write_registration(var, name, bin, completer, &mut script)?;
        // The first line tells compinit that this is a completion script. Without compinit there is no compdef, and
        // zsh's error would not say what to do.
        let first = script.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        buf.write_all(&script[..first])?;
        writeln!(
            buf,
            "(( $+functions[compdef] )) || {{ print -u2 '{name}: run compinit before this'; return 1 }}"
        )?;
        buf.write_all(&script[first..])?;
        writeln!(buf, "[[ $funcstack[1] != _{name} ]] || _clap_dynamic_completer_{name}")
    }

    fn write_complete(
        &self,
        command: &mut Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        clap_complete::env::Zsh.write_complete(command, words, folder, buf)
    }
}
