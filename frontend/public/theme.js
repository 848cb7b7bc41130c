// Runs before the first paint, so that the page does not flash in the colours of the other theme.
// The Content-Security-Policy allows no inline script.
try {
  const stored = localStorage.getItem('theme')
  if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored
} catch {
  // Without storage, the theme of the system applies.
}
