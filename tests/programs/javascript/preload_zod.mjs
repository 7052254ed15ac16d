// zod, imported: what comes from stdin is checked before it is used.
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const Address = z.object({ street: z.string().min(1), zip: z.string().regex(/^\d{5}$/) });
const User = z
  .object({
    name: z.string().trim().min(2),
    email: z.email(),
    age: z.coerce.number().int().min(0).max(150).optional(),
    role: z.enum(['admin', 'user']).default('user'),
    tags: z.array(z.string()).max(3),
    address: z.union([Address, z.null()]),
  })
  .strict();
const Event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('click'), x: z.number(), y: z.number() }),
  z.object({ type: z.literal('key'), key: z.string().length(1) }),
]);

for (const [index, candidate] of JSON.parse(await text(process.stdin)).entries()) {
  const { success, data, error } = User.safeParse(candidate);
  if (success) {
    console.log(index, 'ok', data);
  } else {
    console.log(index, error.issues.map(({ path, code }) => `${path.join('.') || '(whole)'}: ${code}`).sort());
  }
}
console.log(Event.parse({ type: 'click', x: 1, y: 2 }), Event.safeParse({ type: 'drag' }).success);
console.log(z.string().transform((s) => s.length).pipe(z.number().max(3)).safeParse('four').success);
console.log(z.record(z.string(), z.number()).parse({ a: 1 }), z.tuple([z.string(), z.number()]).parse(['a', 1]));
