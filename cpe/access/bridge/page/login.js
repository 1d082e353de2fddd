// How the login stands; null: not yet. 'in', 'asked' (to throw somebody out), 'code N' (the modem's
// word), 'refused' (the page complains after a login left), 'stuck' (it complains before).
({ logged_in, preempt, refused }) => {
  const shown = (selector) => {
    const element = document.querySelector(selector);
    return element !== null && element.getClientRects().length > 0 ? element : null;
  };
  if (document.readyState === 'loading') { return null; }
  if (shown(preempt)) { return 'asked'; }
  const token = typeof window.token === 'string' && window.token.length > 0;
  if (shown(logged_in) || token) { return 'in'; }
  const { code, login } = window.__bridge();
  if (code) { return `code ${code}`; }
  const complaint = shown(refused);
  if (!complaint || !complaint.textContent.trim()) { return null; }
  return login ? 'refused' : 'stuck';
}
