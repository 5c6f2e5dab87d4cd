//! Printing: results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use super::CliError;
use super::args::{Color, Format};
use super::progress::Shown;
use crate::azure::Door;

/// Where and how a command prints.
pub(super) struct Terminal {
    quiet: bool,
    pub(super) format: Format,
    color_out: bool,
    color_err: bool,
}

/// A colour that carries no meaning alone: words say the same.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Good,
    Bad,
    Open,
    Dim,
    Strong,
}

impl Terminal {
    pub(super) fn new(quiet: bool, format: Format, color: Color) -> Terminal {
        #[allow(clippy::disallowed_methods, reason = "the command line reads the environment")]
        let no_color = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
        let on = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !no_color,
        };
        Terminal {
            quiet,
            format,
            color_out: on(std::io::stdout().is_terminal()),
            color_err: on(std::io::stderr().is_terminal()),
        }
    }

    /// A line of the result. Control characters of data are shown, not sent.
    pub(super) fn line(&self, text: &str) -> Result<(), CliError> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// A JSON document as the whole result.
    pub(super) fn json(&self, value: &serde_json::Value) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Defect(error.to_string()))?;
        self.line(&text)
    }

    pub(super) fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // the reader went away, as `| head` does; the job and its exit code are the same
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(CliError::Print),
        }
    }

    /// A line beside the result, not printed with `--quiet`.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}"); // nothing can be said when standard error is gone
        }
    }

    /// An error: one line, then advice on lines of its own.
    pub(super) fn error(&self, text: &str) {
        let head = if self.color_err { "\x1b[1;31merror\x1b[0m: " } else { "error: " };
        let _ = writeln!(std::io::stderr(), "{head}{}", clean(text)); // as above
    }

    /// `text` in a tone, where colours are on.
    pub(super) fn tone(&self, tone: Tone, text: &str) -> String {
        if !self.color_out {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Open => "33",
            Tone::Dim => "2",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Progress of a run through that door.
    pub(super) fn progress<'door>(&self, door: &'door Door) -> Shown<'door> {
        Shown::new(self.quiet, door)
    }
}

/// Control characters shown as escapes, line feeds kept: a name must not move the cursor.
pub(super) fn clean(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            c if c.is_control() || is_invisible(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_text() {
        assert_eq!(super::clean("a\x1b[2Jb\u{202E}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\nd");
    }
}
