// zod gives both the check and the type.
import { z } from 'zod';

const Money = z.object({ amount: z.number().nonnegative(), currency: z.enum(['EUR', 'USD']) });
const Product = z.object({
  sku: z.string().regex(/^[A-Z]{2}-\d{3}$/),
  price: Money,
  stock: z.number().int().default(0),
  variants: z.array(z.object({ colour: z.string(), extra: Money.partial().optional() })).optional(),
});
const Category: z.ZodType<Category> = z.lazy(() => z.object({ name: z.string(), children: z.array(Category) }));

type Product = z.infer<typeof Product>;
type ProductInput = z.input<typeof Product>;
interface Category {
  name: string;
  children: Category[];
}

function worth({ price, stock }: Product): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency: price.currency }).format(price.amount * stock);
}

const given: (ProductInput | object)[] = [
  { sku: 'AB-123', price: { amount: 9.99, currency: 'EUR' }, stock: 3 },
  { sku: 'AB-124', price: { amount: 1, currency: 'USD' } },
  { sku: 'ab', price: { amount: -1, currency: 'GBP' }, stock: 1.5, variants: [{ colour: 5 }] },
];
for (const candidate of given) {
  const parsed = Product.safeParse(candidate);
  if (parsed.success) console.log(parsed.data.sku, worth(parsed.data));
  else for (const { path, code } of parsed.error.issues) console.log(`  ${path.join('.')}: ${code}`);
}

const depth = ({ children }: Category): number => 1 + Math.max(0, ...children.map(depth));
console.log(depth(Category.parse({ name: 'all', children: [{ name: 'a', children: [] }, { name: 'b', children: [{ name: 'c', children: [] }] }] })));

const Env = z.object({ PORT: z.coerce.number().min(1).max(65535), DEBUG: z.stringbool().default(false), HOSTS: z.string().transform((s) => s.split(',')) });
console.log(Env.parse({ PORT: '8080', HOSTS: 'a,b', DEBUG: 'yes' }) satisfies z.output<typeof Env>);
const Positive = z.number().brand<'Positive'>().refine((n) => n > 0, 'must be positive');
type Positive = z.infer<typeof Positive>;
const half = (n: Positive): number => n / 2;
console.log(half(Positive.parse(5)), Positive.safeParse(-5).error?.issues[0]?.message);
