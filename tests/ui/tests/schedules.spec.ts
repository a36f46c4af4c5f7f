/** A pipeline gets a schedule: in the form, as YAML, and later in the panel. */
import { expect, test } from './sharing';

import {
  expectAccessibleInThemes,
  expectNamed,
  Lake,
  openNotebook,
  openPanel,
  section
} from './lake';

test('a schedule is put together, said in words, and is one with the YAML', async ({
  page,
  request
}) => {
  const lake = new Lake(request);
  await openNotebook(page, 'count.ipynb');
  await page.getByRole('button', { name: /^Promote to pipeline/ }).click();
  const dialog = page.getByRole('dialog');
  const accept = dialog.getByRole('button', { name: 'Create and run' });
  await dialog.getByLabel('Pipeline').fill('timed-counts');
  await expect(dialog.getByLabel('On every commit to an input')).toBeChecked();

  // The first choice is every working day at midnight, by the clock of this browser.
  await dialog.getByLabel('On a schedule').check();
  const own = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  await expect(dialog.getByLabel('Time zone')).toHaveValue(own);
  const words = dialog.getByRole('status', { name: 'Schedule in words' });
  await expect(words).toContainText('At 00:00, Monday through Friday');
  await expect(words.getByRole('list', { name: 'Next times' }).getByRole('listitem')).toHaveCount(
    3
  );
  await expectNamed(dialog);

  await dialog.getByLabel('Interval').selectOption('Month');
  await dialog.getByLabel('Day of the month').fill('31');
  await expect(dialog).toContainText('Months without this day are left out.');
  await dialog.getByLabel('Day of the month').fill('32');
  await expect(dialog).toContainText('From 1 to 31');
  await expect(accept).toBeDisabled();

  // What the server says of a wrong expression stands beside it.
  await dialog.getByLabel('Interval').selectOption('Custom');
  const custom = dialog.getByLabel('Cron expression');
  await custom.fill('0 25 * * *');
  await expect(dialog).toContainText("has '25' in column 3, where no hour is read from it");
  await expect(accept).toBeDisabled();
  await custom.fill('30 6 * * 1-5');
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  await expect(words).toContainText('At 06:30, Monday through Friday');
  await expect(words).toContainText(/06:30 UTC\+0[12]:00/);
  await expect(accept).toBeEnabled();

  // What is chosen stands in the YAML, and what is typed there in the form.
  await dialog.getByText('Spec as YAML').click();
  const yaml = dialog.getByLabel('The spec as YAML');
  await expect(yaml).toHaveValue(/schedule: "30 6 \* \* 1-5"\n +zone: Europe\/Berlin/);
  const typed = (await yaml.inputValue()).replaceAll('30 6 * * 1-5', '0 7 * * 0');
  await yaml.fill(`${typed}: :`);
  await expect(dialog.getByRole('alert').filter({ hasText: /^Line \d+:/ })).toBeVisible();
  await expect(accept).toBeDisabled();
  await yaml.fill(typed);
  await expect(dialog.getByLabel('Interval')).toHaveValue('week');
  await expect(dialog.getByLabel('Time', { exact: true })).toHaveValue('07:00');
  await expect(words).toContainText('only on Sunday');
  await expectAccessibleInThemes(page, '.jp-Dialog');
  await dialog.getByLabel('Times that were missed').selectOption('none');
  await expect(yaml).toHaveValue(/catch_up: none/);
  await accept.click();

  // It waits for its time, and the row says when that is.
  const panel = await openPanel(page);
  const row = section(panel, 'pipelines').locator('[data-pipeline="timed-counts"]');
  await expect(row).toContainText('0 7 * * 0');
  await row.getByRole('button').first().click();
  await expect(row).toContainText('At 07:00, only on Sunday (Europe/Berlin)');

  await row.getByRole('button', { name: 'Schedule of timed-counts' }).click();
  const change = page.getByRole('dialog');
  await expect(change.getByLabel('Day of the week')).toHaveValue('0');
  await expect(change.getByLabel('Times that were missed')).toHaveValue('none');
  await change.getByLabel('Interval').selectOption('Hour');
  await change.getByLabel('Minutes past the hour').fill('20');
  await expect(change.getByRole('status')).toContainText('At 20 minutes past the hour');
  await change.getByRole('button', { name: 'Save' }).click();
  await expect(row).toContainText('20 * * * *');
  await expect(row).toContainText('v2');
  await lake.deletePipeline('timed-counts');
});
