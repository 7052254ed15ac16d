// Dates: parsing, formatting, durations, time zones, calendar arithmetic.
package main

import (
	"fmt"
	"time"
)

func main() {
	moment := time.Date(2024, time.February, 29, 23, 4, 5, 678_000_000, time.UTC)
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123, time.Kitchen, "Mon 02.01.06", "2006-01-02T15:04:05.000"} {
		fmt.Println(moment.Format(layout))
	}
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(moment.In(zone).Format("2006-01-02 15:04 MST -0700"))
	}
	parsed, err := time.Parse("02 Jan 2006 15:04", "17 Nov 2023 08:15")
	fmt.Println(parsed, err)
	fmt.Println(moment.Sub(parsed).Round(time.Hour), moment.After(parsed))
	fmt.Println(moment.AddDate(1, 0, 0).Format(time.DateOnly), moment.AddDate(0, 1, 1).Format(time.DateOnly))
	year, week := moment.ISOWeek()
	fmt.Println(year, week, moment.YearDay(), moment.Weekday(), moment.Unix())
	duration, _ := time.ParseDuration("1h15m30.918s")
	fmt.Println(duration, duration.Minutes(), duration.Truncate(time.Minute))
	_, err = time.Parse(time.DateOnly, "2023-02-30")
	fmt.Println(err)
}
