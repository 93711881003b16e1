import { Badge, createTheme, type CSSVariablesResolver } from '@mantine/core';

/** Shades dark enough for WCAG AA with white text; Mantine's own primary is not. */
export const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  autoContrast: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  cursorType: 'pointer',
  components: {
    Badge: Badge.extend({ defaultProps: { radius: 'sm', tt: 'none', fw: 600 } }),
  },
});

/** Greys that can be read: Mantine's dimmed text and placeholders have too little contrast for WCAG AA. */
export const readableGreys: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#53595f', '--mantine-color-placeholder': '#666d74' },
  dark: { '--mantine-color-dimmed': '#b3b8be', '--mantine-color-placeholder': '#9aa0a6' },
});
