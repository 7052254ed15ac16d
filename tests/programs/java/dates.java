import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.util.Locale;

public class Dates {
    public static void main(String[] args) {
        LocalDate leap = LocalDate.of(2024, 2, 29);
        System.out.println(leap.plusYears(1) + " " + leap.getDayOfWeek() + " " + leap.isLeapYear());
        System.out.println(Period.between(LocalDate.of(1999, 12, 31), leap) + " " + ChronoUnit.DAYS.between(LocalDate.EPOCH, leap));
        System.out.println(leap.with(TemporalAdjusters.firstInMonth(DayOfWeek.MONDAY)) + " " + leap.with(TemporalAdjusters.lastDayOfYear()));
        LocalDateTime parsed = LocalDateTime.parse("05.11.2023 13:07", DateTimeFormatter.ofPattern("dd.MM.yyyy HH:mm"));
        System.out.println(parsed.format(DateTimeFormatter.ofPattern("EEEE, d MMMM uuuu, h:mm a", Locale.ENGLISH)));
        ZonedDateTime berlin = ZonedDateTime.of(2024, 3, 31, 1, 30, 0, 0, ZoneId.of("Europe/Berlin"));
        System.out.println(berlin + " -> " + berlin.plusHours(1));
        System.out.println(berlin.withZoneSameInstant(ZoneId.of("America/New_York")) + " " + berlin.toInstant());
        System.out.println(Duration.ofSeconds(98_765) + " " + Duration.between(Instant.EPOCH, Instant.ofEpochSecond(86_461)).toMinutes());
        int fridays = 0;
        for (LocalDate day = LocalDate.of(2024, 1, 1); day.getYear() == 2024; day = day.plusDays(1)) {
            fridays += day.getDayOfMonth() == 13 && day.getDayOfWeek() == DayOfWeek.FRIDAY ? 1 : 0;
        }
        System.out.println(fridays + " Friday the 13th");
    }
}
