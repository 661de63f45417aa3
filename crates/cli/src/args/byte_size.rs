/// A text that is no size of at least one byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a size such as 50MiB: a whole number from 1 with B, KiB, MiB, GiB or TiB")]
pub(crate) struct ParseByteSizeError;

/// Parses a whole number with a binary unit; in bytes.
pub(crate) fn parse(text: &str) -> Result<u64, ParseByteSizeError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().map_err(|_| ParseByteSizeError)?;
    let unit: u64 = match &text[digits..] {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(ParseByteSizeError),
    };
    let bytes = number.checked_mul(unit).ok_or(ParseByteSizeError)?;
    if bytes == 0 { Err(ParseByteSizeError) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_with_binary_units() {
        for (text, bytes) in
            [("1B", 1), ("64KiB", 65_536), ("50MiB", 52_428_800), ("2TiB", 2_199_023_255_552)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_could_be_meant_in_two_ways_is_no_size() {
        for text in
            ["", "50", "MiB", "50MB", "50M", "50 MiB", "1.5GiB", "-1B", "0MiB", "99999999TiB", "5é"]
        {
            assert_eq!(parse(text), Err(ParseByteSizeError), "{text:?}");
        }
    }
}
