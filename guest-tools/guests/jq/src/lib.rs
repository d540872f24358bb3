//! jq and yq.
