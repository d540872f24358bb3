//! A scripted Messages API server.
