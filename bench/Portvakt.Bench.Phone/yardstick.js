// A fixed piece of what a page start is made of (elements, style, layout, text, JSON), eleven times over; answers the median in milliseconds.
() => {
  const times = [];
  for (let piece = 0; piece < 11; piece++) {
    const began = performance.now();
    const list = document.createElement('ul');
    for (let row = 0; row < 250; row++) {
      const [item, name, button] = ['li', 'strong', 'button'].map(tag => document.createElement(tag));
      name.textContent = `Row ${row * piece}`;
      button.style.padding = `${row % 7}px`;
      button.append(JSON.parse(JSON.stringify({ row, text: name.textContent })).text);
      item.append(name, button);
      list.append(item);
    }
    document.body.append(list);
    for (const item of list.children) if (item.offsetHeight < 0) throw new Error('A row without a height.');
    list.remove();
    times.push(performance.now() - began);
  }
  return times.sort((one, other) => one - other)[5];
}
