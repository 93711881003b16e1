/** What came in over the last ten minutes, as bars; decoration beside the number that says the same. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  const width = 60;
  const height = 18;
  const top = Math.max(1, ...values);
  return (
    <svg
      className="sparkline"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      <path d={`M0 ${height - 0.5}H${width}`} />
      {values.slice(-width).map((value, index, shown) => {
        const bar = (value / top) * (height - 1);
        const x = width - shown.length + index;
        return <rect key={x} x={x} y={height - bar} width="1" height={bar} />;
      })}
    </svg>
  );
}
