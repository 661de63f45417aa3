use std::path::{Path, PathBuf};

use custos_core::DiskId;
use serde_json::{Value, json};

use super::{Unreadable, VERSION, parse_versioned};
use crate::{StartError, small_file};

const FORMAT: &str = "custos-node-disks";

/// How a disk came to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The configuration names its place.
    Configured,
    /// It was added while the node ran.
    Added,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Added => "added",
        }
    }
}

/// A disk that stood at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// A folder or `s3://bucket/prefix`.
    pub(crate) place: String,
    pub(crate) disk_id: DiskId,
    pub(crate) origin: Origin,
}

/// Which disk stands where, so that a swapped, wiped or unmounted disk is told from a new one.
#[derive(Debug)]
pub(crate) struct Places {
    file: PathBuf,
    items: Vec<Place>,
}

impl Places {
    pub(super) fn load(file: &Path) -> Result<Self, StartError> {
        let found = small_file::read(file).map_err(StartError::io("read", file))?;
        let items = match found {
            None => Vec::new(),
            Some(text) => parse(&text).map_err(|unreadable| unreadable.at(file))?,
        };
        Ok(Self { file: file.to_owned(), items })
    }

    pub(crate) fn at(&self, place: &str) -> Option<&Place> {
        self.items.iter().find(|item| item.place == place)
    }

    /// Where the bucket of a disk that is in two parts was.
    pub(crate) fn cold_place(&self, disk: DiskId, place: &str) -> Option<&str> {
        let cold = |item: &&Place| {
            item.disk_id == disk && item.place != place && item.place.starts_with("s3://")
        };
        self.items.iter().find(cold).map(|item| item.place.as_str())
    }

    /// Disks that were added while the node ran.
    pub(crate) fn added(&self) -> impl Iterator<Item = &Place> {
        self.items.iter().filter(|item| item.origin == Origin::Added)
    }

    /// Records what stands at a place. Durable when it returns; blocks the thread.
    pub(crate) fn record(&mut self, place: Place) -> Result<(), StartError> {
        if self.at(&place.place) == Some(&place) {
            return Ok(());
        }
        self.items.retain(|item| item.place != place.place);
        self.items.push(place);
        self.save()
    }

    /// Forgets a place. Durable when it returns; blocks the thread.
    pub(crate) fn forget(&mut self, place: &str) -> Result<(), StartError> {
        if self.at(place).is_none() {
            return Ok(());
        }
        self.items.retain(|item| item.place != place);
        self.save()
    }

    fn save(&self) -> Result<(), StartError> {
        small_file::replace(&self.file, render(&self.items).as_bytes())
            .map_err(StartError::io("write", &self.file))
    }
}

fn render(items: &[Place]) -> String {
    let disks: Vec<Value> = items
        .iter()
        .map(|item| {
            json!({
                "disk_id": item.disk_id.to_string(),
                "origin": item.origin.name(),
                "place": item.place,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "disks": disks, "format": FORMAT, "version": VERSION }))
}

fn parse(text: &[u8]) -> Result<Vec<Place>, Unreadable> {
    let value = parse_versioned(text, FORMAT)?;
    let disks = value["disks"].as_array().ok_or("it has no list of disks")?;
    let place = |item| parse_place(item).ok_or_else(|| format!("no disk: {item}").into());
    disks.iter().map(place).collect()
}

fn parse_place(item: &Value) -> Option<Place> {
    let origin = match item["origin"].as_str()? {
        "configured" => Origin::Configured,
        "added" => Origin::Added,
        _ => return None,
    };
    Some(Place {
        place: item["place"].as_str()?.to_owned(),
        disk_id: item["disk_id"].as_str()?.parse().ok()?,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_recorded_forgotten_and_read_again() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("disks.json");
        let mut places = Places::load(&file).expect("none yet");
        let place = |text: &str, id, origin| Place {
            place: text.to_owned(),
            disk_id: DiskId([id; 16]),
            origin,
        };
        places.record(place("/a", 1, Origin::Configured)).expect("recorded");
        places.record(place("/b", 2, Origin::Added)).expect("recorded");
        places.record(place("/b", 3, Origin::Added)).expect("replaced");
        places.record(place("s3://c/d", 4, Origin::Added)).expect("recorded");
        places.forget("/nothing").expect("fine");
        let mut read = Places::load(&file).expect("read");
        assert_eq!(read.items, places.items);
        assert_eq!(read.at("/b").map(|item| item.disk_id), Some(DiskId([3; 16])));
        assert_eq!(read.added().count(), 2);
        read.forget("/b").expect("forgotten");
        assert!(Places::load(&file).expect("read").at("/b").is_none());
    }

    #[test]
    fn the_file_reads_as_its_page_says() {
        let text = "{\n  \"disks\": [\n    {\n      \"disk_id\": \
                    \"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\",\n      \"origin\": \"configured\",\n      \
                    \"place\": \"/data/0\"\n    }\n  ],\n  \"format\": \"custos-node-disks\",\n  \
                    \"version\": 1\n}\n";
        let items = parse(text.as_bytes()).expect("parsed");
        assert_eq!(render(&items), text);
        for wrong in ["{}", r#"{"format":"custos-node-disks","version":1,"disks":[{}]}"#] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
