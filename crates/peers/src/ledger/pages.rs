use custos_ledger::Answer;
use custos_ports::LedgerError;

/// One page of evidence in order of id, of a page of each group.
pub(super) fn merged(answers: Vec<Answer>) -> Result<Answer, LedgerError> {
    let pages = answers.into_iter().map(|answer| match answer {
        Answer::List { items, resume_after } => Ok((items, resume_after)),
        _ => {
            let reason = "a listing was asked for, and something else came".to_owned();
            Err(LedgerError::Fault { reason })
        }
    });
    let (items, resume_after) =
        joined(pages.collect::<Result<_, _>>()?, |record| record.evidence_id);
    Ok(Answer::List { items, resume_after })
}

/// What all pages together say for sure, in order: behind the earliest end of a page that goes on
/// there may be more of that page before what others have.
fn joined<T, K: Ord + Copy>(
    pages: Vec<(Vec<T>, Option<K>)>,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, Option<K>) {
    let end = pages.iter().filter_map(|(_, end)| *end).min();
    let mut items: Vec<T> = pages.into_iter().flat_map(|(items, _)| items).collect();
    items.retain(|item| end.is_none_or(|end| key(item) <= end));
    items.sort_unstable_by_key(key);
    (items, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined_numbers(pages: &[(&[u8], Option<u8>)]) -> (Vec<u8>, Option<u8>) {
        let pages = pages.iter().map(|(items, end)| (items.to_vec(), *end)).collect();
        joined(pages, |number| *number)
    }

    #[test]
    fn pages_are_one_page_up_to_where_the_first_of_them_ends() {
        assert_eq!(joined_numbers(&[(&[1, 4], None), (&[2, 3], None)]), (vec![1, 2, 3, 4], None));
        let (items, end) =
            joined_numbers(&[(&[1, 4, 9], Some(9)), (&[2, 5], Some(5)), (&[], None)]);
        assert_eq!((items, end), (vec![1, 2, 4, 5], Some(5)));
        assert_eq!(joined_numbers(&[]), (vec![], None));
    }
}
