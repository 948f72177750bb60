//! Downloads from a small Hub on this machine, which can be told to fail.

mod addresses;
mod commits;
mod damaged;
mod downloads;
mod hostile_cache;
mod limits;
mod mutations;
mod offline;
mod refused;
mod repository;
mod resuming;
mod secrets;
mod server;
mod sharing;
mod slow;
mod test_hub;
mod token;
