//! The entity graph: which names mean one thing, how near two things are, who owns them, what depends on them.
