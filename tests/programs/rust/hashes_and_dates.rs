use base64::prelude::*;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, TimeZone, Utc, Weekday};
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

fn main() {
    for text in ["", "abc", "The quick brown fox jumps over the lazy dog"] {
        println!("{}", hex::encode(Sha256::digest(text)));
    }
    let mut hasher = Sha512::new();
    for _ in 0..1000 {
        hasher.update([b'a'; 1000]);
    }
    println!("{}", &hex::encode(hasher.finalize())[..32]);

    let encoded = BASE64_STANDARD.encode("Grüße, 世界");
    println!("{encoded} {}", String::from_utf8(BASE64_STANDARD.decode(&encoded).unwrap()).unwrap());
    println!("{:?}", BASE64_URL_SAFE_NO_PAD.decode("not base64!").is_err());

    let leap = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    println!("{} {} {}", leap.weekday(), leap + Months::new(12), leap + Days::new(366));
    println!("{:?}", NaiveDate::from_ymd_opt(2023, 2, 29));
    let moment = Utc.with_ymd_and_hms(1999, 12, 31, 23, 59, 58).unwrap() + TimeDelta::seconds(5);
    println!("{} {}", moment.to_rfc3339(), moment.timestamp());
    let parsed: DateTime<Utc> = "2024-03-10T08:30:00+02:00".parse().unwrap();
    println!("{}", parsed.format("%a %d %b %Y %H:%M"));
    let fridays = (1..=12).filter(|&month| NaiveDate::from_ymd_opt(2026, month, 13).unwrap().weekday() == Weekday::Fri);
    println!("Friday 13th in 2026: {:?}", fridays.collect::<Vec<_>>());

    let id = Uuid::new_v4();
    println!("{} {}", id.get_version_num(), id != Uuid::new_v4());
    println!("{}", Uuid::parse_str("67e55044-10b1-426f-9247-bb680e5fe0c8").unwrap().simple());
}
