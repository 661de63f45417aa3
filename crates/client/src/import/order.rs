//! Units in an order in which they can be registered.

use std::collections::HashMap;

use super::{Fault, Planned};

/// What is known of a unit while its ancestors are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// An ancestor of it, or itself, is being looked at.
    Open,
    Done,
}

/// Puts every unit after its parent, else in the order of the file. Parents that are not in the
/// file are taken to be registered. Units that are above themselves are named and left out, and
/// with them what is below.
pub(super) fn parents_first(units: Vec<Planned>, faults: &mut Vec<Fault>) -> Vec<Planned> {
    let places: HashMap<&str, usize> =
        units.iter().enumerate().map(|(place, unit)| (unit.id.as_str(), place)).collect();
    let parents: Vec<Option<usize>> = units
        .iter()
        .map(|unit| {
            let parent = unit.references.iter().find(|it| it.column == "parent")?;
            places.get(parent.id.as_str()).copied()
        })
        .collect();

    let mut marks = vec![Mark::New; units.len()];
    let mut order = Vec::with_capacity(units.len());
    for start in 0..units.len() {
        // From `start` up to the first that is known.
        let mut path = Vec::new();
        let mut next = Some(start);
        while let Some(place) = next.filter(|place| marks[*place] == Mark::New) {
            marks[place] = Mark::Open;
            path.push(place);
            next = parents[place];
        }
        match next {
            // What stays open is in a circle, or below one.
            Some(top) if marks[top] == Mark::Open => {
                if let Some(first) = path.iter().position(|place| *place == top) {
                    name_circle(&path[first..], &units, faults);
                }
            }
            _ => {
                for place in path.into_iter().rev() {
                    marks[place] = Mark::Done;
                    order.push(place);
                }
            }
        }
    }
    let mut units: Vec<Option<Planned>> = units.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| units[place].take()).collect()
}

fn name_circle(circle: &[usize], units: &[Planned], faults: &mut Vec<Fault>) {
    for start in 0..circle.len() {
        let id = |further: usize| units[circle[(start + further) % circle.len()]].id.as_str();
        // A long circle by its ends.
        let ids: Vec<&str> = if circle.len() > 8 {
            [id(0), id(1), id(2), "…", id(circle.len() - 1), id(0)].to_vec()
        } else {
            (0..=circle.len()).map(id).collect()
        };
        let reason = format!("is above itself: {}", ids.join(" is in "));
        faults.push(Fault::new(units[circle[start]].line, Some("parent"), reason));
    }
}
