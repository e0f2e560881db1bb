//! Every external byte form: source payloads become events, changes and incidents become records.
