use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};

/// Civil time in the domain: China Standard Time, eight hours east.
const EAST_SECONDS: i32 = 8 * 3600;

/// The civil day of a moment, in the domain's time.
#[must_use]
pub fn today(now: DateTime<Utc>) -> NaiveDate {
    FixedOffset::east_opt(EAST_SECONDS).map_or_else(
        || now.date_naive(),
        |zone| now.with_timezone(&zone).date_naive(),
    )
}

/// The first moment after a civil day, in the domain's time. What holds "until" a day ends there.
#[must_use]
pub fn end_of_day(day: NaiveDate) -> DateTime<Utc> {
    let next = day
        .checked_add_days(Days::new(1))
        .unwrap_or(day)
        .and_time(NaiveTime::MIN);
    let zone = FixedOffset::east_opt(EAST_SECONDS);
    let moment = zone.and_then(|zone| zone.from_local_datetime(&next).single());
    moment.map_or_else(
        || Utc.from_utc_datetime(&next),
        |moment| moment.with_timezone(&Utc),
    )
}

#[cfg(test)]
mod tests;
