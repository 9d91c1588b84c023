//! When a rule counts: from a day, until a day, at certain hours.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp as Moment};
use tower_iiif_auth::clock::Timestamp;

/// The times of a rule; without any it counts always.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    hours: Vec<Hours>,
    zone: Option<TimeZone>,
}

/// Days of the week, and a time of day; one that ends before it begins goes on into the next day.
#[derive(Clone, Debug)]
struct Hours {
    days: [bool; 7],
    begin: Time,
    /// `None` for midnight at its end.
    end: Option<Time>,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl When {
    pub(crate) fn new(
        from: Option<&str>,
        until: Option<&str>,
        hours: &[String],
        zone: &TimeZone,
    ) -> Result<Self, String> {
        let read = |name: &str, text: Option<&str>| {
            text.map(|text| moment(text, zone).map_err(|error| format!("{name}: {error}")))
                .transpose()
        };
        let hours = hours.iter().map(|text| Hours::read(text).map_err(|e| format!("hours: {e}")));
        Ok(Self {
            from: read("from", from)?,
            until: read("until", until)?,
            hours: hours.collect::<Result<_, _>>()?,
            zone: Some(zone.clone()),
        })
    }

    pub(crate) fn is_always(&self) -> bool {
        self.from.is_none() && self.until.is_none() && self.hours.is_empty()
    }

    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        let begun = self.from.is_none_or(|from| from <= now);
        let ended = self.until.is_some_and(|until| until <= now);
        begun && !ended && (self.hours.is_empty() || self.is_open(now))
    }

    fn is_open(&self, now: Timestamp) -> bool {
        let Some(zone) = &self.zone else { return false };
        let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        // A moment that no calendar has is at no hour.
        let Ok(moment) = Moment::from_millisecond(millis) else { return false };
        let here = zone.to_datetime(moment);
        self.hours.iter().any(|own| own.has(here))
    }

    /// Until when it is as it is now: its own next moment, or with hours the next full minute.
    pub(crate) fn sure_until(&self, now: Timestamp) -> Timestamp {
        const MINUTE: u64 = 60_000;
        let next = Timestamp::from_millis((now.as_millis() / MINUTE + 1) * MINUTE);
        let hours = (!self.hours.is_empty()).then_some(next);
        let own = [self.from, self.until, hours].into_iter().flatten();
        own.filter(|own| *own > now).min().unwrap_or(Timestamp::from_millis(u64::MAX))
    }
}

/// `2040-01-01`, the beginning of that day, or a moment with its offset: `2040-01-01T09:00:00+01:00`.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong =
        || format!("{text:?} is no day: write it like \"2040-01-01\" or \"2040-01-01T09:00:00Z\"");
    let moment = match text.parse::<Moment>() {
        Ok(moment) => moment,
        Err(_) if text.len() == "2040-01-01".len() => {
            let day: Date = text.parse().map_err(|_| wrong())?;
            let day = day.to_datetime(Time::midnight()).to_zoned(zone.clone());
            day.map_err(|_| wrong())?.timestamp()
        }
        Err(_) => return Err(wrong()),
    };
    // Before 1970 is as good as always.
    Ok(Timestamp::from_millis(u64::try_from(moment.as_millisecond()).unwrap_or(0)))
}

impl Hours {
    /// `mon-fri 09:00-18:00`, `sat,sun 10:00-14:00`, `09:00-18:00` on every day.
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} are no hours: write them like \"mon-fri 09:00-18:00\" or \"sat 22:00-02:00\""
            )
        };
        let lower = text.trim().to_ascii_lowercase();
        let (days, times) = lower.rsplit_once(' ').unwrap_or(("mon-sun", &lower));
        let (begin, end) = times.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| {
            let form = text.len() == 5 && text.as_bytes()[2] == b':';
            text.parse::<Time>().ok().filter(|_| form).ok_or_else(wrong)
        };
        let end = if end == "24:00" { None } else { Some(time(end)?) };
        let own = Self { days: Self::days(days).ok_or_else(wrong)?, begin: time(begin)?, end };
        if own.end == Some(own.begin) { Err(wrong()) } else { Ok(own) }
    }

    fn days(text: &str) -> Option<[bool; 7]> {
        let place = |name: &str| NAMES.iter().position(|own| *own == name.trim());
        let mut days = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (place(first)?, place(last)?);
            let length = (last + 7 - first) % 7;
            for step in 0..=length {
                days[(first + step) % 7] = true;
            }
        }
        Some(days)
    }

    fn has(&self, here: DateTime) -> bool {
        let on = |date: Date| {
            let day: Weekday = date.weekday();
            self.days[usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)]
        };
        let (date, time) = (here.date(), here.time());
        match self.end {
            Some(end) if end < self.begin => {
                let yesterday = date.checked_sub(SignedDuration::from_hours(24)).unwrap_or(date);
                on(date) && time >= self.begin || on(yesterday) && time < end
            }
            Some(end) => on(date) && self.begin <= time && time < end,
            None => on(date) && self.begin <= time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_time_is_told() {
        let zone = TimeZone::UTC;
        for hours in [
            "",
            "mon",
            "9-18",
            "mon 9:00-18:00",
            "mon 09:00",
            "mon 09:00-25:00",
            "mon 09:00-09:00",
            "xyz 09:00-18:00",
            "mon- 09:00-18:00",
            "mon 09:00-18:00:00",
            "mon 24:00-02:00",
        ] {
            let error = When::new(None, None, &[hours.to_owned()], &zone).expect_err(hours);
            assert!(error.contains("are no hours"), "{error}");
        }
        for day in ["", "2040", "2040-13-01", "2040-02-30", "01.01.2040", "2040-01-01T09:00:00"] {
            for (from, until) in [(Some(day), None), (None, Some(day))] {
                let error = When::new(from, until, &[], &zone).expect_err(day);
                assert!(error.contains("is no day"), "{error}");
            }
        }
        for hours in ["09:00-18:00", "Mon,Wed 09:00-24:00", "fri-mon 00:00-23:59"] {
            When::new(None, None, &[hours.to_owned()], &zone).expect(hours);
        }
    }

    /// A day begins where the library is, and in summer an hour earlier.
    #[test]
    fn days_and_hours_are_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| {
            let millis = text.parse::<Moment>().unwrap().as_millisecond();
            Timestamp::from_millis(u64::try_from(millis).unwrap())
        };
        let winter = When::new(Some("2040-01-01"), None, &[], &zone).unwrap();
        assert!(winter.counts(at("2039-12-31T23:00:00Z")));
        assert!(!winter.counts(at("2039-12-31T22:59:59Z")));
        let summer = When::new(None, None, &["09:00-18:00".to_owned()], &zone).unwrap();
        assert!(
            summer.counts(at("2026-07-01T07:00:00Z")) && !summer.counts(at("2026-12-01T07:00:00Z"))
        );
        assert!(
            summer.counts(at("2026-12-01T08:00:00Z")) && !summer.counts(at("2026-12-01T17:00:00Z"))
        );
    }
}
