// Whose page this is: 'form' (the login we know), 'deco' (another UI); null: it may still be loading.
({ password }) => {
  const field = document.querySelector(password);
  if (field !== null && field.getClientRects().length > 0) { return 'form'; }
  const text = document.documentElement ? document.documentElement.outerHTML : '';
  return /\/cgi-bin\/luci|\/webpages\//i.test(text.slice(0, 20000)) ? 'deco' : null;
}
