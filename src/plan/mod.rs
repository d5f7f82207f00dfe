//! What we intend: the manifest resolved against settings.
