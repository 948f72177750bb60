use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use crate::program::write_message;
use crate::{Program, escaped, panics};

/// Runs a program with the arguments of the command line: `work` returns the exit code. An error is reported, with exit
/// code 2, and so are arguments that can't be used. `--help` and `--version` print and end with exit code 0.
pub fn run<A: Parser, E: Into<Box<dyn Error>>>(
    work: impl FnOnce(&Program, A) -> Result<u8, E>,
) -> ExitCode {
    panics::silence();
    let program = Program::new(A::command().get_name());
    match A::try_parse() {
        Ok(arguments) => program.run(|program| work(program, arguments)),
        Err(error) if error.use_stderr() => {
            write_message(&text(error));
            ExitCode::from(2)
        }
        Err(help) => program.run(|program| program.write(&text(help)).map(|()| 0)),
    }
}

/// The text of clap's message, which has several lines. The arguments in it are escaped first, since a line break in one
/// of them would look like another line of the message.
fn text(mut error: clap::Error) -> String {
    let context: Vec<(ContextKind, ContextValue)> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    for (kind, value) in context {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(escaped(&text).into_owned()),
            ContextValue::Strings(texts) => {
                let texts = texts.iter().map(|text| escaped(text).into_owned());
                ContextValue::Strings(texts.collect())
            }
            // Suggestions, which repeat an argument. Each is one line.
            ContextValue::StyledStrs(texts) => {
                let texts = texts
                    .iter()
                    .map(|text| StyledStr::from(escaped(&text.to_string()).into_owned()));
                ContextValue::StyledStrs(texts.collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    let text = error.render().to_string();
    let lines = text.split('\n').map(escaped);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    #[command(version)]
    struct Arguments {
        #[arg(long)]
        number: Option<u32>,
        #[arg(long, value_parser = ["one", "two"])]
        choice: Option<String>,
        names: Vec<String>,
    }

    #[test]
    fn arguments_in_messages_are_escaped() {
        for arguments in [
            &["x", "--a\x1b[31m\nerror: forged"][..],
            &["x", "--number", "\x1b\n\u{202e}3"],
            &["x", "--choice", "\x1b\n\u{202e}one"],
            &["x", "--choice", "\x1b\nerror: forged"],
        ] {
            let error = Arguments::try_parse_from(arguments).unwrap_err();
            let text = text(error);
            assert!(
                !text.replace('\n', "").contains(crate::is_escaped),
                "{text}"
            );
            assert!(text.contains(r"\x1b"), "{text}");
            assert_eq!(
                text.matches("error:").count(),
                text.matches("error: forged").count() + 1
            );
            assert!(!text.contains("\nerror: forged"), "{text}");
        }
    }

    #[test]
    fn help_keeps_its_lines() {
        let help = Arguments::try_parse_from(["x", "--help"]).unwrap_err();
        assert!(!help.use_stderr());
        assert!(text(help).lines().count() > 3);
    }
}
