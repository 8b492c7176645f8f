//! `diunbox man`: the manual pages, one a command.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Error, Outcome};
use crate::cli::{Cli, Man as Args};

/// Sections that hold for the program as a whole.
const COMMON: [&str; 3] = ["Exit status", "Environment", "Files"];
const ORDER: [&str; 4] = ["Exit status", "Environment", "Files", "Examples"];
const DIUN: &str = "https://crazymax.dev/diun/";

pub(super) fn run(args: &Args) -> Result<Outcome, Error> {
    let fail = |error| Error::File {
        action: "write manual pages into",
        path: args.folder.clone(),
        error,
    };
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
    let release = format!("{} {}", program.get_name(), env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(release).manual("diunbox");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    let help = |command: &Command| command.get_after_long_help().map(ToString::to_string);
    let (own, common) = (help(command).unwrap_or_default(), help(program).unwrap_or_default());
    for heading in ORDER {
        let sections = [section(&common, heading).filter(|_| COMMON.contains(&heading)), section(&own, heading)];
        let mut sections: Vec<&str> = sections.into_iter().flatten().collect();
        sections.dedup();
        if !sections.is_empty() {
            roff.control("SH", [heading.to_uppercase().as_str()]);
            sections.iter().for_each(|section| lines(&mut roff, section));
        }
    }
    see_also(&mut roff, command, program, parent);
    roff.to_writer(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The indented lines below a heading.
fn section<'a>(help: &'a str, heading: &str) -> Option<&'a str> {
    help.split("\n\n").find_map(|part| part.strip_prefix(heading)?.strip_prefix(":\n"))
}

fn lines(roff: &mut Roff, section: &str) {
    let mut in_code = false;
    for line in section.lines() {
        let text = line.trim();
        let is_code = line.starts_with("    ") && !line.starts_with("          ");
        if is_code && !in_code {
            roff.control("PP", []).control("RS", ["4"]).control("nf", []);
        } else if in_code && !is_code {
            roff.control("fi", []).control("RE", []);
        }
        in_code = is_code;
        match text.split_once("  ") {
            Some((term, meaning)) if !is_code => {
                roff.control("TP", []).text([bold(term)]).text([roman(meaning.trim())]);
            }
            _ if is_code || line.starts_with("          ") => {
                roff.text([roman(text)]);
            }
            _ => {
                roff.control("PP", []).text([roman(text)]);
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
