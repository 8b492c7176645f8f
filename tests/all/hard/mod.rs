//! Attacks: real faults, hostile input, and many processes at once.

mod damage;
mod dice;
mod disk;
mod garbage;
mod injection;
mod kill;
mod names;
mod paths;
mod replaced;
mod secrets;
mod time;
mod together;
mod whole;
