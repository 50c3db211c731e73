use super::*;

fn ends(day: &str) -> String {
    end_of_day(day.parse().unwrap()).to_rfc3339()
}

#[test]
fn a_day_ends_at_midnight_in_china() {
    assert_eq!(ends("2026-11-21"), "2026-11-21T16:00:00+00:00");
    assert_eq!(ends("2027-12-31"), "2027-12-31T16:00:00+00:00");
    assert_eq!(ends("2028-02-28"), "2028-02-28T16:00:00+00:00");
    assert_eq!(ends("2028-02-29"), "2028-02-29T16:00:00+00:00");
}

/// China kept summer time from 1986 to 1991; the domain's civil time is the standard one.
#[test]
fn no_summer_time_moves_the_end() {
    assert_eq!(ends("1988-07-01"), "1988-07-01T16:00:00+00:00");
}

#[test]
fn a_day_begins_at_midnight_in_china() {
    let day = |moment: &str| today(moment.parse().unwrap()).to_string();
    assert_eq!(day("2026-11-21T15:59:59Z"), "2026-11-21");
    assert_eq!(day("2026-11-21T16:00:00Z"), "2026-11-22");
}

#[test]
fn days_at_the_ends_of_the_calendar_end_too() {
    assert!(end_of_day(NaiveDate::MIN) < end_of_day(NaiveDate::MAX));
}
