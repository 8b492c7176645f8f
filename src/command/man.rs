//! `diunbox man`: the manual pages, one per command.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Error, Outcome};
use crate::cli::help::{Entry, Section, sections};
use crate::cli::{Cli, Man as Args};

/// The sections of the long help below the options. All but the program's examples are repeated for each command.
const SECTIONS: [&str; 4] = ["Exit status", "Environment", "Files", "Examples"];
/// The date of the release.
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
    // A command below another has the sections of that one.
    let own = parent.filter(|parent| parent.get_name() != program.get_name()).unwrap_or(command);
    let (own, common) = (sections(own.get_name()), sections(program.get_name()));
    let is_program = command.get_name() == program.get_name();
    let mut roff = Roff::new();
    for heading in SECTIONS {
        let of =
            |sections: &'static [Section]| sections.iter().find(|found| found.heading == heading);
        let common = of(common).filter(|_| heading != "Examples" && !is_program);
        let own = of(own);
        if common.or(own).is_some() {
            roff.control("SH", [heading.to_uppercase().as_str()]);
            common.into_iter().chain(own).for_each(|section| entries(&mut roff, section));
        }
    }
    see_also(&mut roff, command, program, parent);
    roff.to_writer(&mut text)?;
    Ok(tidy(&String::from_utf8_lossy(&text)))
}

/// The usage line of the help, which is more exact than clap_mangen's.
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

fn entries(roff: &mut Roff, section: &Section) {
    for entry in section.entries {
        match entry {
            Entry::Term(term, meaning) => {
                roff.control("TP", []).text([bold(*term)]).text([roman(*meaning)]);
            }
            Entry::Example(sentence, commands) => {
                roff.control("PP", []).text([roman(format!("{sentence}:"))]);
                roff.control("RS", ["4"]).control("nf", []);
                for command in *commands {
                    roff.text([roman(*command)]);
                }
                roff.control("fi", []).control("RE", []);
            }
        }
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

/// Corrects what `mandoc -T lint` and `groff -ww` complain about, and prints text in backticks in bold.
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
