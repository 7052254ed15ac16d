// Dates by date-fns, dayjs and Intl, all in UTC.
import { addBusinessDays, differenceInDays, eachDayOfInterval, formatDistanceStrict, isLeapYear, parseISO } from 'date-fns';
import dayjs from 'dayjs';
import utc from 'dayjs/plugin/utc.js';
import weekOfYear from 'dayjs/plugin/weekOfYear.js';

dayjs.extend(utc);
dayjs.extend(weekOfYear);

const start = parseISO('2024-02-26T00:00:00Z');
console.log(eachDayOfInterval({ start, end: parseISO('2024-03-02T00:00:00Z') }).map((day) => day.toISOString().slice(5, 10)));
console.log(addBusinessDays(start, 10).toISOString(), differenceInDays(parseISO('2025-01-01'), parseISO('2024-01-01')));
console.log([1900, 2000, 2023, 2024].map((year) => isLeapYear(new Date(Date.UTC(year, 5)))));
console.log(formatDistanceStrict(start, parseISO('2024-03-18T12:00:00Z')));

const party = dayjs.utc('1999-12-31T23:59:59Z');
console.log(party.add(1, 'second').format('dddd, D MMMM YYYY HH:mm:ss'), party.week(), party.endOf('month').isSame(party, 'second'));
console.log(dayjs.utc('2024-01-31').add(1, 'month').format('YYYY-MM-DD'), dayjs.utc('2024-05-17').diff('2024-01-01', 'day'));

const formatted = (locale, options) => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).format(start);
console.log(formatted('de-DE', { dateStyle: 'full' }), '|', formatted('ja-JP', { dateStyle: 'long' }), '|', formatted('en-GB', { month: 'short', day: 'numeric' }));
console.log(new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day'), new Intl.ListFormat('en').format(['x', 'y', 'z']));
console.log(new Date(0).toString(), new Date('2024-02-30T00:00:00Z').getTime(), new Date(NaN).getTime());
