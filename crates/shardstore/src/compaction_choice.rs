//! Which extent is to give its space back next: decided on the books alone.

use std::collections::BTreeMap;

use crate::extent_book::ExtentBook;

/// An extent that is to be removed after what is still needed of it was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) extent: u64,
    /// Blocks that must be moved first.
    pub(crate) blocks_to_move: u32,
    /// No other extent can hold an older record than its tombstones: they may go with it.
    pub(crate) is_oldest: bool,
}

/// Chooses the extent that costs the fewest moves: any without a record that is needed, else one
/// with more than half garbage. Those that `is_kept` names are left alone, and those that
/// `is_open` names unless nothing in them is needed.
///
/// Never chosen is an extent with something unknown in it, nor the one with the highest number or
/// sequence number: numbers go on from those when the disk is opened anew.
pub(crate) fn choose(
    books: &BTreeMap<u64, ExtentBook>,
    is_open: impl Fn(u64) -> bool,
    is_kept: impl Fn(u64) -> bool,
) -> Option<Choice> {
    let sequence_min = |book: &ExtentBook| book.checkpoint.map_or(0, |known| known.sequence_min);
    let newest = *books.keys().next_back()?;
    let last = |book: &ExtentBook| book.checkpoint.map_or(0, |known| known.sequence_max);
    let sequence_max = books.values().map(last).max()?;
    // The two lowest, to know the lowest of all others for each.
    let mut lowest = (u64::MAX, u64::MAX);
    for book in books.values() {
        let minimum = sequence_min(book);
        if minimum < lowest.0 {
            lowest = (minimum, lowest.0);
        } else if minimum < lowest.1 {
            lowest.1 = minimum;
        }
    }
    let choices = books.iter().filter_map(|(&extent, book)| {
        let known = book.checkpoint?;
        let is_unknown = known.unknown_blocks > 0 || is_kept(extent);
        if is_unknown || extent == newest || known.sequence_max == sequence_max {
            return None;
        }
        let others_min = if sequence_min(book) == lowest.0 { lowest.1 } else { lowest.0 };
        let is_oldest = others_min > known.sequence_max;
        let tombstones = if is_oldest { 0 } else { book.tombstones };
        let blocks_to_move = book.live_blocks.saturating_add(tombstones);
        let is_needed = book.live_shards > 0 || blocks_to_move > 0;
        if is_needed && (is_open(extent) || blocks_to_move >= book.used_blocks().div_ceil(2)) {
            return None;
        }
        Some(Choice { extent, blocks_to_move, is_oldest })
    });
    choices.min_by_key(|choice| choice.blocks_to_move)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extent_book::Checkpoint;

    fn book(sequences: (u64, u64), used: u32, live: u32, tombstones: u32) -> ExtentBook {
        let checkpoint = Checkpoint {
            end_block: used + 1,
            sequence_min: sequences.0,
            sequence_max: sequences.1,
            ..Checkpoint::default()
        };
        let live_shards = u32::from(live > 0);
        ExtentBook { checkpoint: Some(checkpoint), live_shards, live_blocks: live, tombstones }
    }

    /// With a newest extent behind them that is never chosen.
    fn chosen(books: &[ExtentBook]) -> Option<Choice> {
        choose(&with_newest(books), |_| false, |_| false)
    }

    fn with_newest(books: &[ExtentBook]) -> BTreeMap<u64, ExtentBook> {
        let newest = book((1000, 1001), 2, 0, 0);
        (1..).zip(books.iter().copied().chain([newest])).collect()
    }

    #[test]
    fn the_cheapest_extent_with_more_than_half_garbage_is_chosen() {
        let full = book((1, 10), 10, 10, 0);
        assert_eq!(chosen(&[full]), None);
        assert_eq!(chosen(&[full, book((11, 20), 10, 5, 0)]), None, "half is not more than half");
        let books = [full, book((11, 20), 10, 4, 0), book((21, 30), 20, 3, 0)];
        let choice = chosen(&books).expect("one");
        assert_eq!((choice.extent, choice.blocks_to_move), (3, 3));
    }

    #[test]
    fn tombstones_may_go_only_when_every_other_extent_is_younger() {
        let oldest = book((1, 10), 10, 0, 8);
        let choice = chosen(&[oldest, book((11, 20), 10, 10, 0)]).expect("one");
        assert_eq!(choice, Choice { extent: 1, blocks_to_move: 0, is_oldest: true });
        let overlapping = book((5, 20), 10, 10, 0);
        assert_eq!(chosen(&[oldest, overlapping]), None, "eight tombstones are still needed");
        let few = book((1, 10), 10, 0, 2);
        let choice = chosen(&[few, overlapping]).expect("one");
        assert_eq!(choice, Choice { extent: 1, blocks_to_move: 2, is_oldest: false });
        let unread = ExtentBook::default();
        assert_eq!(chosen(&[oldest, unread]), None, "nobody knows what is in an unread extent");
    }

    #[test]
    fn extents_with_something_unknown_and_the_newest_are_never_chosen() {
        let mut unknown = book((1, 10), 10, 0, 0);
        assert!(chosen(&[unknown]).is_some());
        unknown.checkpoint.as_mut().expect("known").unknown_blocks = 1;
        assert_eq!(chosen(&[unknown]), None);
        assert_eq!(chosen(&[]), None);
        let last_written = book((1, 5000), 10, 0, 0);
        assert_eq!(chosen(&[last_written]).map(|choice| choice.extent), None);
    }

    #[test]
    fn an_open_extent_is_chosen_only_when_nothing_in_it_is_needed() {
        let is_open = |extent| extent == 1;
        let some = with_newest(&[book((1, 10), 10, 1, 0)]);
        assert_eq!(choose(&some, is_open, |_| false), None);
        let nothing = with_newest(&[book((1, 10), 10, 0, 0)]);
        assert!(choose(&nothing, is_open, |_| false).is_some());
        assert_eq!(choose(&nothing, is_open, |_| true), None, "kept for another reason");
    }
}
