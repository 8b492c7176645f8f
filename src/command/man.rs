//! `diunbox man`: the manual pages, one per command.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Error, Outcome};
use crate::cli::{Cli, Man as Args};

/// What the long help has below the options. All but examples of the program hold for each command.
const SECTIONS: [&str; 4] = ["Exit status", "Environment", "Files", "Examples"];
/// How far commands of examples are indented.
const CODE: usize = 4;
/// Of the release.
const DATE: &str = "2026-11-24";
const DIUN: &str = "https://crazymax.dev/diun/";

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let fail =
        |error| Error::File { action: "write manual pages into", path: args.folder.clone(), error };
    fs::create_dir_all(&args.folder).map_err(fail)?;
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    write_pages(&program, &program, None, &args.folder).map_err(fail)?;
    Ok(Outcome::Done)
}

fn write_pages(
    command: &Command,
    program: &Command,
    parent: Option<&Command>,
    folder: &Path,
) -> io::Result<()> {
    let mut file = File::create(folder.join(format!("{}.1", page(command))))?;
    file.write_all(render(command, program, parent)?.as_bytes())?;
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    commands.into_iter().try_for_each(|child| write_pages(child, program, Some(command), folder))
}

/// The name of a command's page.
fn page(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn render(command: &Command, program: &Command, parent: Option<&Command>) -> io::Result<String> {
    let man = Man::new(command.clone().subcommand_help_heading("COMMANDS"));
    let release = format!("{} {}", program.get_name(), env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    let mut roff = Roff::new();
    let title = page(command).to_uppercase();
    roff.control("TH", [title.as_str(), "1", DATE, &release, "User Commands"]);
    roff.to_writer(&mut text)?;
    man.render_name_section(&mut text)?;
    synopsis(command).to_writer(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let help = |command: &Command| command.get_after_long_help().map(ToString::to_string);
    let own = help(command).or_else(|| parent.and_then(help)).unwrap_or_default();
    let common = help(program).unwrap_or_default();
    let mut roff = Roff::new();
    for heading in SECTIONS {
        let common = section(&common, heading).filter(|_| heading != "Examples");
        let own = section(&own, heading).filter(|own| common != Some(own));
        if common.or(own).is_some() {
            roff.control("SH", [heading.to_uppercase().as_str()]);
            common.into_iter().chain(own).for_each(|section| lines(&mut roff, section));
        }
    }
    see_also(&mut roff, command, program, parent);
    roff.to_writer(&mut text)?;
    Ok(tidy(&String::from_utf8_lossy(&text)))
}

/// The usage line of the help, which knows more than clap_mangen's.
fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").lines().map(str::trim);
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    for (index, line) in usage.filter(|line| !line.is_empty()).enumerate() {
        if index > 0 {
            roff.control("br", []);
        }
        roff.text([roman(line)]);
    }
    roff
}

/// The indented lines below a heading.
fn section<'a>(help: &'a str, heading: &str) -> Option<&'a str> {
    help.split("\n\n").find_map(|part| part.strip_prefix(heading)?.strip_prefix(":\n"))
}

fn lines(roff: &mut Roff, section: &str) {
    let mut in_code = false;
    for line in section.lines() {
        let text = line.trim();
        let depth = line.len() - line.trim_start().len();
        if in_code != (depth == CODE) {
            in_code = !in_code;
            if in_code {
                roff.control("RS", ["4"]).control("nf", []);
            } else {
                roff.control("fi", []).control("RE", []);
            }
        }
        match text.split_once("  ") {
            Some((term, meaning)) if depth < CODE => {
                roff.control("TP", []).text([bold(term)]).text([roman(meaning.trim())]);
            }
            None if depth < CODE => {
                roff.control("PP", []).text([roman(text)]);
            }
            _ => {
                roff.text([roman(text)]);
            }
        }
    }
    if in_code {
        roff.control("fi", []).control("RE", []);
    }
}

fn see_also(roff: &mut Roff, command: &Command, program: &Command, parent: Option<&Command>) {
    let mut pages = vec![page(program)];
    pages.extend(parent.map(page));
    let relatives = parent.unwrap_or(command).get_subcommands().chain(command.get_subcommands());
    pages.extend(relatives.filter(|command| !command.is_hide_set()).map(page));
    pages.retain(|name| *name != page(command));
    pages.sort_unstable();
    pages.dedup();
    roff.control("SH", ["SEE ALSO"]);
    for name in pages {
        roff.control("BR", [name, "(1),"]);
    }
    roff.text([roman(format!("Diun, {DIUN}"))]);
}

/// What `mandoc -T lint` and `groff -ww` would complain of, and what help texts set in backticks.
fn tidy(page: &str) -> String {
    let mut tidy = String::with_capacity(page.len());
    let page = page.replace(".br\n\n.br\n", ".sp\n").replace("\\*(Aq", "\\(aq");
    let mut after_heading = false;
    for line in page.lines() {
        let is_preamble = line.starts_with(".ie ") || line.starts_with(".el ");
        if is_preamble || after_heading && line == ".PP" {
            continue;
        }
        after_heading = line.starts_with(".SH");
        let mut in_backticks = false;
        for c in if line.is_empty() { ".sp" } else { line }.chars() {
            match c {
                '`' => {
                    in_backticks = !in_backticks;
                    tidy.push_str(if in_backticks { "\\fB" } else { "\\fR" });
                }
                c if c.is_ascii() => tidy.push(c),
                c => {
                    let _ = write!(tidy, "\\[u{:04X}]", u32::from(c));
                }
            }
        }
        tidy.push('\n');
    }
    tidy
}
