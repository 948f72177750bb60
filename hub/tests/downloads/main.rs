//! Downloads from a small Hub on this machine, which can be told to fail.

mod damaged;
mod downloads;
mod offline;
mod refused;
mod repository;
mod resuming;
mod server;
mod sharing;
mod test_hub;
mod token;
