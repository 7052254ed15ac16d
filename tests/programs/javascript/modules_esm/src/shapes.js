export const area = ({ kind, size }) => (kind === 'circle' ? Math.PI * size ** 2 : size ** 2);
export { area as default };
