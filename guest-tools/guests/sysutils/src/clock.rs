//! Times as text and back, in the zone that `TZ` names.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use calendar::Zone;

use crate::system::Moment;

thread_local! { static ZONE: RefCell<Option<Zone>> = const { RefCell::new(None) }; }

/// Returns the current time.
pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    Moment {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: since.subsec_nanos(),
    }
}

/// Shows a time in a format of date(1).
pub(crate) fn show(moment: Moment, format: &str) -> String {
    with_zone(|zone| calendar::format(format, zone, (moment.seconds, moment.nanoseconds)))
}

/// Returns the time that a text means, counted from `now`.
pub(crate) fn parse(text: &str, now: Moment) -> Option<Moment> {
    let found = with_zone(|zone| calendar::parse(text, (now.seconds, now.nanoseconds), zone));
    found.map(|(seconds, nanoseconds)| Moment {
        seconds,
        nanoseconds,
    })
}

/// Returns when the local clock shows a time; nothing if it never does.
pub(crate) fn moment(civil: &calendar::Civil) -> Option<Moment> {
    let seconds = with_zone(|zone| {
        zone.seconds(civil, None)
            .filter(|seconds| zone.local(*seconds).civil == *civil)
    })?;
    Some(Moment {
        seconds,
        nanoseconds: 0,
    })
}

/// Returns what the local clock shows.
pub(crate) fn local(moment: Moment) -> calendar::Local {
    with_zone(|zone| zone.local(moment.seconds))
}

/// Makes every time from now on one of universal time.
pub(crate) fn use_utc() {
    ZONE.with(|place| *place.borrow_mut() = Some(Zone::utc()));
}

fn with_zone<T>(ask: impl FnOnce(&Zone) -> T) -> T {
    ZONE.with(|place| {
        let mut place = place.borrow_mut();
        ask(place.get_or_insert_with(Zone::from_environment))
    })
}
