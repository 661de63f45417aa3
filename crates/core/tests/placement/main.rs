//! Where shards go, on clusters of all shapes.

mod acknowledge;
mod balance;
mod plan;
mod rank;
mod reach;
mod spare;
mod world;
