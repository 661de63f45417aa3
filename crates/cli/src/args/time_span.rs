use std::time::Duration;

/// A text that is no time span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a time span such as 90s, 5m, 2h or 1h30m")]
pub(crate) struct ParseTimeSpanError;

/// Parses whole numbers with the units `s`, `m`, `h` and `d`, added up: `1h30m`.
pub(crate) fn parse(text: &str) -> Result<Duration, ParseTimeSpanError> {
    if text.is_empty() {
        return Err(ParseTimeSpanError);
    }
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| ParseTimeSpanError)?;
        let mut unit = rest[digits..].chars();
        let unit_seconds = match unit.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(ParseTimeSpanError),
        };
        let part = number.checked_mul(unit_seconds).ok_or(ParseTimeSpanError)?;
        seconds = seconds.checked_add(part).ok_or(ParseTimeSpanError)?;
        rest = unit.as_str();
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_no_span() {
        for text in
            ["", "5", "m", "5 m", "-5m", "5m3", "1.5h", "5ms", "99999999999999999999d", "5é"]
        {
            assert_eq!(parse(text), Err(ParseTimeSpanError), "{text:?}");
        }
    }
}
