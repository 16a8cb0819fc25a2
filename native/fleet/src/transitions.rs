//! When devices lose and regain their power: lines `timeMicros,device,on|off,bootMicros`, by rising time. Empty lines
//! and lines that begin with `#` mean nothing.

use crate::error::FleetError;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// One device's power at one moment. Virtual microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: u64,
    /// Until the modem can talk; of a power-on.
    pub boot_micros: u64,
    /// Whose.
    pub device: u32,
    /// Power comes back; else it goes.
    pub on: bool,
}

/// Reads a file of transitions of devices below `devices`.
///
/// # Errors
/// `Line`, naming the line.
pub fn load(file: &Path, devices: u32) -> Result<Vec<Transition>, FleetError> {
    let reader = BufReader::new(File::open(file).map_err(FleetError::file(file))?);
    let mut transitions: Vec<Transition> = Vec::new();
    for (text, line) in reader.split(b'\n').zip(1..) {
        let text = text.map_err(FleetError::file(file))?;
        let wrong = |problem: String| FleetError::Line { file: file.to_owned(), line, problem };
        let text = std::str::from_utf8(&text).map_err(|_| wrong("not UTF-8".to_owned()))?.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let transition = parse(text).map_err(wrong)?;
        if transition.device >= devices {
            return Err(wrong(format!("device {} of a fleet of {devices}", transition.device)));
        }
        if transitions.last().is_some_and(|before| before.at > transition.at) {
            return Err(wrong("earlier than the line before it".to_owned()));
        }
        transitions.push(transition);
    }
    Ok(transitions)
}

fn parse(text: &str) -> Result<Transition, String> {
    let mut fields = text.split(',');
    let mut field = |name: &str| fields.next().ok_or_else(|| format!("{name} is missing"));
    let at = number(field("timeMicros")?, "timeMicros")?;
    let device = number(field("device")?, "device")?;
    let on = match field("on|off")? {
        "on" => true,
        "off" => false,
        other => return Err(format!("{other:?} is neither on nor off")),
    };
    let boot_micros = number(field("bootMicros")?, "bootMicros")?;
    if fields.next().is_some() {
        return Err("more than four fields".to_owned());
    }
    let device = u32::try_from(device).map_err(|_| format!("device {device} is too large"))?;
    Ok(Transition { at, boot_micros, device, on })
}

fn number(text: &str, name: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{name}: {text:?} is not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines_become_transitions() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "# plan\n5,0,off,0\r\n\n9,1,on,250\n").expect("written");
        let read = load(file.path(), 2).expect("a plan");
        let off = Transition { at: 5, boot_micros: 0, device: 0, on: false };
        let on = Transition { at: 9, boot_micros: 250, device: 1, on: true };
        assert_eq!(read, [off, on]);
    }

    #[test]
    fn wrong_lines_are_named() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (text, expected) in [
            ("5,0,off,0\n5,0,of,0", ":2: \"of\" is neither on nor off"),
            ("5,0,off", ":1: bootMicros is missing"),
            ("5,0,off,0,0", ":1: more than four fields"),
            ("-5,0,off,0", ":1: timeMicros: \"-5\" is not a whole number"),
            ("5,2,off,0", ":1: device 2 of a fleet of 2"),
            ("5,4294967296,off,0", ":1: device 4294967296 is too large"),
            ("5,0,off,0\n\n4,0,on,0", ":3: earlier than the line before it"),
        ] {
            fs::write(file.path(), text).expect("written");
            let error = load(file.path(), 2).expect_err("a wrong line");
            assert_eq!(error.exit_status(), 2);
            assert!(error.to_string().ends_with(expected), "{error}");
        }
        fs::write(file.path(), [0xff, 0xfe, b'\n']).expect("written");
        assert!(load(file.path(), 2).expect_err("no text").to_string().ends_with(":1: not UTF-8"));
    }
}
