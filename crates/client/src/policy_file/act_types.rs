//! Act types, and what they take from each other.

use custos_core::{
    Stage,
    law::{ActType, ActTypePolicy},
};

use super::{
    PolicyFileError,
    table::{Field, Table},
};

/// What the file says of one act type, and no more.
pub(super) struct Said {
    act_type: ActType,
    like: Option<Like>,
    stages: Option<Vec<Stage>>,
    audio_visual: Option<Vec<Stage>>,
    retention_days: Option<u32>,
}

/// The act type that another one takes from what it does not say.
struct Like {
    act_type: ActType,
    path: String,
    line: usize,
}

const KEYS: &[&str] = &["like", "stages", "audio_visual", "retention_days"];

pub(super) fn read(act_type: ActType, field: &Field<'_>) -> Result<Said, PolicyFileError> {
    let table = field.table()?;
    table.only(KEYS)?;
    Ok(Said {
        act_type,
        like: like(act_type, &table)?,
        stages: table.get("stages").map(Field::names).transpose()?,
        audio_visual: table.get("audio_visual").map(Field::names).transpose()?,
        retention_days: table.get("retention_days").map(Field::number).transpose()?,
    })
}

fn like(act_type: ActType, table: &Table<'_>) -> Result<Option<Like>, PolicyFileError> {
    let Some(field) = table.get("like") else { return Ok(None) };
    let other = field.name().map_err(|mut error| {
        error.reason = format!("{act_type} is like {}", error.reason);
        error
    })?;
    let path = format!("{}.like", table.path());
    Ok(Some(Like { act_type: other, path, line: field.line() }))
}

/// Fills in what is not said.
pub(super) fn resolve(all: &[Said]) -> Result<Vec<ActTypePolicy>, PolicyFileError> {
    all.iter().map(|said| resolved(said, all)).collect()
}

fn resolved(said: &Said, all: &[Said]) -> Result<ActTypePolicy, PolicyFileError> {
    let mut chain = vec![said];
    while let Some(like) = &chain[chain.len() - 1].like {
        let error = |reason: String| {
            let names: Vec<_> = chain.iter().map(|it| it.act_type).chain([like.act_type]).collect();
            let names: Vec<_> = names.iter().map(|it| it.name()).collect();
            let reason = format!("{reason}: {}", names.join(" is like "));
            PolicyFileError::new(&like.path, Some(like.line), reason)
        };
        if chain.iter().any(|it| it.act_type == like.act_type) {
            return Err(error("act types are like each other in a circle".to_owned()));
        }
        let Some(next) = all.iter().find(|it| it.act_type == like.act_type) else {
            return Err(error(format!("this file has no act type {}", like.act_type)));
        };
        chain.push(next);
    }
    let stages = chain.iter().find_map(|it| it.stages.clone());
    let audio_visual = chain.iter().find_map(|it| it.audio_visual.clone());
    let retention_days = chain.iter().find_map(|it| it.retention_days);
    Ok(ActTypePolicy {
        act_type: said.act_type,
        stages: stages.unwrap_or_else(|| Stage::ALL.to_vec()),
        audio_visual: audio_visual.unwrap_or_default(),
        retention_days: retention_days.unwrap_or(0),
    })
}
