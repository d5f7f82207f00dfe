//! Files: durable writes, each with what survives a crash.
