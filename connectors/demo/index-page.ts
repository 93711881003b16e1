/** The page at `/`: says plainly what this is, and how many resources of each type it holds. */
export function renderIndexPage(baseUrl: string, counts: ReadonlyMap<string, number>): string {
  const rows = [...counts]
    .map(([type, count]) => `<tr><td>${type}</td><td class="count">${count}</td></tr>`)
    .join('\n');
  const held =
    rows === ''
      ? '<p>It holds nothing yet.</p>'
      : `<table><caption>It holds</caption>${rows}</table>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Hilum demo EHR</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }
strong { background: #fff3bf; padding: 0.1em 0.3em; }
td { padding: 0.1rem 1rem 0.1rem 0; }
.count { text-align: right; font-variant-numeric: tabular-nums; }
caption { text-align: left; }
</style>
</head>
<body>
<h1>Hilum demo EHR</h1>
<p><strong>A demonstration, in memory, not for patient data.</strong> Anyone who reaches this port can read
and write everything, and all of it is gone when the process ends.</p>
<p>FHIR R4 base: <code>${baseUrl}</code>, its capabilities: <code>${baseUrl}/metadata</code>.</p>
${held}
<p>Switch it off with <code>HILUM_DEMO=off</code>.</p>
</body>
</html>
`;
}
