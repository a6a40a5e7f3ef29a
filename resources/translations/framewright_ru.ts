<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru">
<context>
    <name>fw::app::JobQueue</name>
    <message>
        <source>This happened twice with this job.</source>
        <translation>С этим заданием такое случилось дважды.</translation>
    </message>
    <message>
        <source>%1 Nothing is lost: this is tried again every few seconds.</source>
        <translation>%1 Ничего не потеряно: попытка повторяется каждые несколько секунд.</translation>
    </message>
    <message>
        <source>The engine failed %1 times in a row; the queue is paused.</source>
        <translation>Сбоев движка подряд: %1; очередь приостановлена.</translation>
    </message>
</context>
<context>
    <name>fw::app::WorkerClient</name>
    <message>
        <source>The engine did not start within %1 s.</source>
        <translation>Движок не запустился за %1 с.</translation>
    </message>
    <message>
        <source>The engine program %1 cannot be started: %2</source>
        <translation>Не удаётся запустить программу движка %1: %2</translation>
    </message>
    <message>
        <source>The engine cannot be reached: %1</source>
        <translation>Нет связи с движком: %1</translation>
    </message>
    <message>
        <source>The engine sent something that is not understood (%1).</source>
        <translation>Движок прислал непонятные данные (%1).</translation>
    </message>
    <message>
        <source>The engine is of another version (%1) than the studio: install both from the same package.</source>
        <translation>Версия движка (%1) не совпадает с версией студии: установите обе программы из одного пакета.</translation>
    </message>
    <message>
        <source>The engine did not introduce itself.</source>
        <translation>Движок не представился.</translation>
    </message>
    <message>
        <source>The engine stopped answering.</source>
        <translation>Движок перестал отвечать.</translation>
    </message>
    <message>
        <source>The engine made no progress for %1 s.</source>
        <translation>Движок не продвигается уже %1 с.</translation>
    </message>
    <message>
        <source>The engine ended unexpectedly (signal %1).</source>
        <translation>Движок неожиданно завершился (сигнал %1).</translation>
    </message>
    <message>
        <source>The engine ended by itself (exit code %1).</source>
        <translation>Движок завершился сам (код выхода %1).</translation>
    </message>
</context>
<context>
    <name>fw::ui::AboutDialog</name>
    <message>
        <source>About Framewright</source>
        <translation>О программе Framewright</translation>
    </message>
    <message>
        <source>Framewright %1</source>
        <translation>Framewright %1</translation>
    </message>
    <message>
        <source>Makes video from text with diffusion transformers, on this machine alone: no network access at all.</source>
        <translation>Делает видео из текста диффузионными трансформерами, только на этом компьютере: никакого доступа к сети.</translation>
    </message>
    <message>
        <source>Licence of</source>
        <translation>Лицензия</translation>
    </message>
    <message>
        <source>Framewright and the libraries it uses</source>
        <translation>Framewright и библиотеки, которые он использует</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>library: licence</comment>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Лицензия</translation>
    </message>
    <message>
        <source>The terms under which it can be used and passed on</source>
        <translation>Условия использования и передачи</translation>
    </message>
    <message>
        <source>Given to everybody to use as they like, without conditions.</source>
        <translation>Отдано всем для любого использования, без условий.</translation>
    </message>
</context>
<context>
    <name>fw::ui::BatchForm</name>
    <message>
        <source>Several clips</source>
        <translation>Несколько клипов</translation>
    </message>
    <message>
        <source>Make several clips at once: other seeds, a list of prompts, or alternatives in braces</source>
        <translation>Сразу несколько клипов: другие сиды, список промптов или варианты в фигурных скобках</translation>
    </message>
    <message>
        <source>How many clips of each prompt, with one seed after another</source>
        <translation>Сколько клипов сделать по каждому промпту; сиды идут подряд</translation>
    </message>
    <message>
        <source>Seeds</source>
        <translation>Сиды</translation>
    </message>
    <message>
        <source>Each line is a prompt of its own</source>
        <translation>Каждая строка — отдельный промпт</translation>
    </message>
    <message>
        <source>Write or paste a list of prompts, one on each line</source>
        <translation>Введите или вставьте список промптов, по одному в строке</translation>
    </message>
    <message>
        <source>All alternatives in {a|b}</source>
        <translation>Все варианты из {a|b}</translation>
    </message>
    <message>
        <source>Write {red|blue} fox to try both colours. Checked: a clip for every combination. Unchecked: each clip&apos;s seed picks one.</source>
        <translation>Напишите {red|blue} fox, чтобы попробовать оба цвета. С флажком — клип для каждого сочетания, без него вариант выбирает сид клипа.</translation>
    </message>
    <message>
        <source>Clips that will be made</source>
        <translation>Какие клипы будут созданы</translation>
    </message>
    <message>
        <source>These would be %1 clips; at most %2 can be queued at once.</source>
        <translation>Получилось бы клипов: %1; за один раз в очередь можно поставить не больше %2.</translation>
    </message>
    <message>
        <source>billions of</source>
        <translation>миллиарды</translation>
    </message>
    <message>
        <source>1 clip:</source>
        <translation>1 клип:</translation>
    </message>
    <message>
        <source>%1 clips:</source>
        <translation>Клипы (%1):</translation>
    </message>
    <message>
        <source>%1  ·  seed %2</source>
        <translation>%1  ·  сид %2</translation>
    </message>
</context>
<context>
    <name>fw::ui::Caches</name>
    <message>
        <source>Self-attention</source>
        <translation>Самовнимание</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>вычислено</translation>
    </message>
    <message>
        <source>reused</source>
        <translation>взято готовым</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>предсказано</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>Кэш шагов</translation>
    </message>
    <message>
        <source>This trace holds no calls of modules.</source>
        <translation>В этом протоколе нет вызовов модулей.</translation>
    </message>
    <message>
        <source>How much each module&apos;s output changes from step to step is not in this trace; the probe &apos;change&apos; measures it.</source>
        <translation>Насколько меняется выход каждого модуля от шага к шагу, в этом протоколе не записано; это измеряет зонд «change».</translation>
    </message>
    <message>
        <source>Step %1: %2</source>
        <translation>Шаг %1: %2</translation>
    </message>
    <message>
        <source>Step %1, layer %2: %3</source>
        <translation>Шаг %1, слой %2: %3</translation>
    </message>
    <message>
        <source>%1, %2 ms</source>
        <translation>%1, %2 мс</translation>
    </message>
    <message>
        <source>not called</source>
        <translation>не вызывался</translation>
    </message>
    <message>
        <source>step</source>
        <translation>шаг</translation>
    </message>
    <message>
        <source>predictor of the cache against its threshold</source>
        <translation>предсказатель кэша и его порог</translation>
    </message>
    <message>
        <source>change since the step before (mean square, relative), mean of layers</source>
        <translation>изменение с прошлого шага (средний квадрат, относительно), среднее по слоям</translation>
    </message>
    <message>
        <source>Step %1: %2
%3</source>
        <translation>Шаг %1: %2
%3</translation>
    </message>
    <message>
        <source>predictor</source>
        <translation>предсказатель</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>порог</translation>
    </message>
    <message>
        <source>Every module was computed in every step.</source>
        <translation>Все модули вычислялись на каждом шаге.</translation>
    </message>
    <message>
        <source>%1 of %2 calls of modules were answered by the cache &apos;%3&apos; (%4 %).</source>
        <translation>На %1 из %2 вызовов модулей ответил кэш «%3» (%4 %).</translation>
    </message>
    <message>
        <source>Below</source>
        <translation>Внизу</translation>
    </message>
    <message>
        <source>What the cache was wrong by, or how much outputs change from step to step</source>
        <translation>Насколько ошибся кэш или насколько выходы меняются от шага к шагу</translation>
    </message>
    <message>
        <source>measured error</source>
        <translation>измеренная ошибка</translation>
    </message>
    <message>
        <source>change</source>
        <translation>изменение</translation>
    </message>
    <message>
        <source>error %1 of the mean square</source>
        <translation>ошибка: %1 среднего квадрата</translation>
    </message>
    <message>
        <source>measured error of what stood in (mean square, relative), mean of layers</source>
        <translation>измеренная ошибка замены (средний квадрат, относительно), среднее по слоям</translation>
    </message>
    <message>
        <source>Their measured error is %1 of the mean square, in the mean.</source>
        <translation>Их измеренная ошибка в среднем — %1 среднего квадрата.</translation>
    </message>
</context>
<context>
    <name>fw::ui::ClipDelegate</name>
    <message>
        <source>File missing</source>
        <translation>Файл не найден</translation>
    </message>
    <message>
        <source>No picture</source>
        <translation>Нет картинки</translation>
    </message>
</context>
<context>
    <name>fw::ui::ClipDetails</name>
    <message>
        <source>Details of the selected clips</source>
        <translation>Сведения о выбранных клипах</translation>
    </message>
    <message>
        <source>Select a clip to see what made it.</source>
        <translation>Выберите клип, чтобы увидеть, как он был создан.</translation>
    </message>
    <message>
        <source>Prompt of the clip</source>
        <translation>Промпт клипа</translation>
    </message>
    <message>
        <source>Add a tag</source>
        <translation>Добавить метку</translation>
    </message>
    <message>
        <source>Write a tag and press Enter</source>
        <translation>Введите метку и нажмите Enter</translation>
    </message>
    <message>
        <source>Notes</source>
        <translation>Заметки</translation>
    </message>
    <message>
        <source>Saved while you write; the search finds them</source>
        <translation>Сохраняются по мере ввода; поиск их находит</translation>
    </message>
    <message>
        <source>Load settings</source>
        <translation>Загрузить настройки</translation>
    </message>
    <message>
        <source>Puts this clip&apos;s settings into the prompt panel</source>
        <translation>Переносит настройки клипа в панель промпта</translation>
    </message>
    <message>
        <source>Vary seed</source>
        <translation>Сменить сид</translation>
    </message>
    <message>
        <source>Puts the settings into the prompt panel with a new seed</source>
        <translation>Переносит настройки в панель промпта с новым сидом</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Экспорт…</translation>
    </message>
    <message>
        <source>Saves the clips in another format or size</source>
        <translation>Сохраняет клипы в другом формате или размере</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Показать в папке</translation>
    </message>
    <message>
        <source>Opens the folder the file is in</source>
        <translation>Открывает папку с файлом</translation>
    </message>
    <message>
        <source>Copy settings</source>
        <translation>Копировать настройки</translation>
    </message>
    <message>
        <source>Copies the settings as text</source>
        <translation>Копирует настройки как текст</translation>
    </message>
    <message>
        <source>The file is missing. Put it back to play the clip; its settings can still be used.</source>
        <translation>Файл не найден. Верните его на место, чтобы воспроизвести клип; настройками можно пользоваться и так.</translation>
    </message>
    <message numerus="yes">
        <source>%n clips selected</source>
        <translation>
            <numerusform>Выбран %n клип</numerusform>
            <numerusform>Выбрано %n клипа</numerusform>
            <numerusform>Выбрано %n клипов</numerusform>
        </translation>
    </message>
    <message>
        <source>One file is missing.</source>
        <translation>Не найден один файл.</translation>
    </message>
    <message numerus="yes">
        <source>%n files are missing.</source>
        <translation>
            <numerusform>Не найден %n файл.</numerusform>
            <numerusform>Не найдены %n файла.</numerusform>
            <numerusform>Не найдено %n файлов.</numerusform>
        </translation>
    </message>
    <message>
        <source>Remove the tag %1</source>
        <translation>Убрать метку %1</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Настройки</translation>
    </message>
    <message>
        <source>Origin</source>
        <translation>Происхождение</translation>
    </message>
    <message>
        <source>What differs between the first %1</source>
        <translation>Различия первых %1</translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>Различия</translation>
    </message>
    <message>
        <source>Nothing: all settings are the same.</source>
        <translation>Различий нет: все настройки одинаковы.</translation>
    </message>
</context>
<context>
    <name>fw::ui::Cost</name>
    <message numerus="yes">
        <source>%1
%2 ms, %n call(s)</source>
        <translation>
            <numerusform>%1
%2 мс, %n вызов</numerusform>
            <numerusform>%1
%2 мс, %n вызова</numerusform>
            <numerusform>%1
%2 мс, %n вызовов</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 GFLOP/s, %2 FLOP per byte</source>
        <translation>%1 GFLOP/s, %2 FLOP на байт</translation>
    </message>
    <message numerus="yes">
        <source>%n call(s) answered by the cache</source>
        <translation>
            <numerusform>на %n вызов ответил кэш</numerusform>
            <numerusform>на %n вызова ответил кэш</numerusform>
            <numerusform>на %n вызовов ответил кэш</numerusform>
        </translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Затраты</translation>
    </message>
    <message>
        <source>This trace holds no calls of modules.</source>
        <translation>В этом протоколе нет вызовов модулей.</translation>
    </message>
    <message>
        <source>step</source>
        <translation>шаг</translation>
    </message>
    <message>
        <source>time of a step, ms</source>
        <translation>время шага, мс</translation>
    </message>
    <message>
        <source>Step %1: %2</source>
        <translation>Шаг %1: %2</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>всё остальное</translation>
    </message>
    <message>
        <source>module</source>
        <translation>модуль</translation>
    </message>
    <message>
        <source>time, s</source>
        <translation>время, с</translation>
    </message>
    <message>
        <source>share</source>
        <translation>доля</translation>
    </message>
    <message>
        <source>Plan: %1, counted: %2 (%3 %)</source>
        <translation>План: %1, подсчитано: %2 (%3 %)</translation>
    </message>
    <message>
        <source>FLOP per byte</source>
        <translation>FLOP на байт</translation>
    </message>
    <message>
        <source>GFLOP/s</source>
        <translation>GFLOP/s</translation>
    </message>
    <message>
        <source>No module has both FLOP and bytes.</source>
        <translation>Ни у одного модуля нет и FLOP, и байтов.</translation>
    </message>
    <message>
        <source>best met: %1 GFLOP/s, %2 GB/s</source>
        <translation>лучшее из достигнутого: %1 GFLOP/s, %2 ГБ/с</translation>
    </message>
    <message>
        <source>%1 in all, %2 counted; step %3 took %4.</source>
        <translation>Всего %1, подсчитано %2; шаг %3 занял %4.</translation>
    </message>
    <message>
        <source>time of a step, s</source>
        <translation>время шага, с</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 мс</translation>
    </message>
    <message>
        <source>The whole step: %1 planned, %2 counted</source>
        <translation>Весь шаг: %1 по плану, %2 подсчитано</translation>
    </message>
    <message>
        <source>not in this trace</source>
        <translation>нет в этом протоколе</translation>
    </message>
    <message>
        <source>Plan without the steps before: %1, counted: %2 (%3 %)</source>
        <translation>План без предыдущих шагов: %1, подсчитано: %2 (%3 %)</translation>
    </message>
</context>
<context>
    <name>fw::ui::DesktopNotifier</name>
    <message>
        <source>Show</source>
        <translation>Показать</translation>
    </message>
</context>
<context>
    <name>fw::ui::Dialogs</name>
    <message>
        <source>Replace “%1”?</source>
        <translation>Заменить «%1»?</translation>
    </message>
    <message>
        <source>It exists already in %1.</source>
        <translation>Такой файл уже есть в %1.</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Заменить</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Оставить</translation>
    </message>
    <message>
        <source>The library cannot be opened</source>
        <translation>Не удаётся открыть библиотеку</translation>
    </message>
</context>
<context>
    <name>fw::ui::DifferenceDialog</name>
    <message numerus="yes">
        <source>What differs between the first %n clips</source>
        <translation>
            <numerusform>Различия первого %n клипа</numerusform>
            <numerusform>Различия первых %n клипов</numerusform>
            <numerusform>Различия первых %n клипов</numerusform>
        </translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>Различия</translation>
    </message>
    <message>
        <source>Settings of the clips</source>
        <translation>Настройки клипов</translation>
    </message>
    <message>
        <source>Also what is the same</source>
        <translation>Показать и совпадения</translation>
    </message>
    <message>
        <source>Shows every setting of the clips</source>
        <translation>Показывает все настройки клипов</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>Клип</translation>
    </message>
</context>
<context>
    <name>fw::ui::Edits</name>
    <message>
        <source>move jobs in the queue</source>
        <translation>перемещение заданий в очереди</translation>
    </message>
    <message>
        <source>cancel jobs in the queue</source>
        <translation>отмену заданий в очереди</translation>
    </message>
    <message>
        <source>edit a job of the queue</source>
        <translation>изменение задания в очереди</translation>
    </message>
</context>
<context>
    <name>fw::ui::ErrorView</name>
    <message>
        <source>Copy details</source>
        <translation>Копировать подробности</translation>
    </message>
    <message>
        <source>Copy the message and the settings for a report</source>
        <translation>Копирует сообщение и настройки для отчёта</translation>
    </message>
</context>
<context>
    <name>fw::ui::Errors</name>
    <message>
        <source>These settings do not work together</source>
        <translation>Эти настройки не сочетаются</translation>
    </message>
    <message>
        <source>Change the setting and run again.</source>
        <translation>Измените настройку и запустите снова.</translation>
    </message>
    <message>
        <source>Back to the settings</source>
        <translation>К настройкам</translation>
    </message>
    <message>
        <source>This model cannot be used</source>
        <translation>Эту модель нельзя использовать</translation>
    </message>
    <message>
        <source>Choose a model folder in the diffusers layout, or put the missing file back and try again.</source>
        <translation>Выберите папку модели в формате diffusers или верните недостающий файл и попробуйте снова.</translation>
    </message>
    <message>
        <source>Choose a model folder…</source>
        <translation>Выбрать папку модели…</translation>
    </message>
    <message>
        <source>There is not enough memory for this clip</source>
        <translation>Для этого клипа не хватает памяти</translation>
    </message>
    <message>
        <source>Choose a smaller size or fewer frames and run again.</source>
        <translation>Уменьшите размер или число кадров и запустите снова.</translation>
    </message>
    <message>
        <source>A file could not be read or written</source>
        <translation>Не удалось прочитать или записать файл</translation>
    </message>
    <message>
        <source>Check the disk and the folder&apos;s permissions, then try again.</source>
        <translation>Проверьте диск и права на папку, затем попробуйте снова.</translation>
    </message>
    <message>
        <source>Open the clips folder</source>
        <translation>Открыть папку клипов</translation>
    </message>
    <message>
        <source>This machine cannot do that</source>
        <translation>Этот компьютер так не умеет</translation>
    </message>
    <message>
        <source>Choose other settings or another model.</source>
        <translation>Выберите другие настройки или другую модель.</translation>
    </message>
    <message>
        <source>This library is open in another window</source>
        <translation>Библиотека открыта в другом окне</translation>
    </message>
    <message>
        <source>Use the window that is already open, or close it first.</source>
        <translation>Перейдите в уже открытое окно или сначала закройте его.</translation>
    </message>
    <message>
        <source>The clip was cancelled</source>
        <translation>Создание клипа отменено</translation>
    </message>
    <message>
        <source>Nothing was saved. Run it again when you like.</source>
        <translation>Ничего не сохранено. Запустите снова, когда захотите.</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>Создать снова</translation>
    </message>
    <message>
        <source>Framewright made a mistake</source>
        <translation>Ошибка в программе Framewright</translation>
    </message>
    <message>
        <source>This is a defect of the program, not of your settings. Copy the details into a report; running again may still work.</source>
        <translation>Это дефект программы, а не ваших настроек. Скопируйте подробности в отчёт; повторный запуск может помочь.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Попробовать снова</translation>
    </message>
    <message>
        <source>The engine stopped while it made this clip</source>
        <translation>Движок остановился во время создания клипа</translation>
    </message>
    <message>
        <source>It starts again by itself. Run the clip once more; if that does not help, choose a smaller size or fewer frames.</source>
        <translation>Он запускается снова сам. Создайте клип ещё раз; если не поможет, выберите меньший размер или меньше кадров.</translation>
    </message>
</context>
<context>
    <name>fw::ui::ExportDialog</name>
    <message>
        <source>Plays everywhere: browsers, phones, chats, editors.</source>
        <translation>Воспроизводится везде: браузеры, телефоны, чаты, видеоредакторы.</translation>
    </message>
    <message>
        <source>Smaller than H.264; plays on newer phones, Macs and televisions.</source>
        <translation>Меньше, чем H.264; понимают новые телефоны, компьютеры Mac и телевизоры.</translation>
    </message>
    <message>
        <source>For web pages; plays in every browser.</source>
        <translation>Для веб-страниц; воспроизводится в любом браузере.</translation>
    </message>
    <message>
        <source>The smallest video; takes longest to write and needs a recent player.</source>
        <translation>Самое компактное видео; кодируется дольше всего, нужен современный плеер.</translation>
    </message>
    <message>
        <source>For editing: large, 10 bits per colour, quick to cut and to grade.</source>
        <translation>Для монтажа: большой файл, 10 бит на канал, быстрая резка и цветокоррекция.</translation>
    </message>
    <message>
        <source>For archives and measuring: every pixel exactly as it was made.</source>
        <translation>Для архива и измерений: каждый пиксель точно такой, каким создан.</translation>
    </message>
    <message>
        <source>Plays in any chat or page, with 256 colours; best for short, small clips.</source>
        <translation>Воспроизводится в любом чате и на любой странице, 256 цветов; лучше для коротких небольших клипов.</translation>
    </message>
    <message>
        <source>Like GIF with all colours and smaller; loses nothing at quality 100.</source>
        <translation>Как GIF, но со всеми цветами и меньше; при качестве 100 без потерь.</translation>
    </message>
    <message>
        <source>A folder with one lossless picture for each frame.</source>
        <translation>Папка с отдельной картинкой без потерь для каждого кадра.</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Экспорт</translation>
    </message>
    <message>
        <source>Export “%1”</source>
        <translation>Экспорт «%1»</translation>
    </message>
    <message>
        <source>Export %1 clips</source>
        <translation>Экспорт клипов: %1</translation>
    </message>
    <message>
        <source>Reading the clip…</source>
        <translation>Чтение клипа…</translation>
    </message>
    <message>
        <source>What kind of file is written</source>
        <translation>Какой файл будет записан</translation>
    </message>
    <message>
        <source>%1 (not installed)</source>
        <translation>%1 (не установлен)</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Формат</translation>
    </message>
    <message>
        <source>Copy the file as it is</source>
        <translation>Скопировать файл как есть</translation>
    </message>
    <message>
        <source>The clip has this format already: copying loses nothing. Uncheck to encode it again.</source>
        <translation>Клип уже в этом формате: копирование без потерь. Снимите флажок, чтобы закодировать заново.</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>Качество</translation>
    </message>
    <message>
        <source>Higher looks better and makes larger files. 75 looks like the original.</source>
        <translation>Чем выше, тем лучше картинка и больше файл. При 75 на вид не отличить от оригинала.</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Width and height of the exported clip, in percent of the original</source>
        <translation>Ширина и высота клипа в процентах от оригинала</translation>
    </message>
    <message>
        <source>Size in percent</source>
        <translation>Размер в процентах</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Размер</translation>
    </message>
    <message>
        <source>As in the clip</source>
        <translation>Как в клипе</translation>
    </message>
    <message>
        <source>Frames per second. Frames are left out or repeated, so the clip lasts as long as before.</source>
        <translation>Кадров в секунду. Кадры пропускаются или повторяются, длительность остаётся прежней.</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>Кадров в секунду</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>Бесконечно</translation>
    </message>
    <message>
        <source>How often the picture plays before it stops</source>
        <translation>Сколько раз проиграть до остановки</translation>
    </message>
    <message>
        <source>Plays</source>
        <translation>Повторы</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>Первый кадр</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>Последний кадр</translation>
    </message>
    <message>
        <source>First frame to export, counted from 1</source>
        <translation>Первый кадр экспорта, счёт с 1</translation>
    </message>
    <message>
        <source>Last frame to export</source>
        <translation>Последний кадр экспорта</translation>
    </message>
    <message>
        <source>to</source>
        <translation>до</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Кадры</translation>
    </message>
    <message>
        <source>Keep prompt and settings in the file</source>
        <translation>Сохранить в файле промпт и настройки</translation>
    </message>
    <message>
        <source>Dropped onto this window, the file brings them back. Uncheck to share a clip without its prompt.</source>
        <translation>Перетащите файл в это окно — и они вернутся. Снимите флажок, чтобы поделиться клипом без промпта.</translation>
    </message>
    <message>
        <source>Name of the new file; its ending follows the format</source>
        <translation>Имя нового файла; расширение зависит от формата</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Имя</translation>
    </message>
    <message>
        <source>Folder that the new files are put into</source>
        <translation>Папка для новых файлов</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Папка</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Выбрать…</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Выберите папку</translation>
    </message>
    <message>
        <source>Progress of the export</source>
        <translation>Ход экспорта</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>Показать файл</translation>
    </message>
    <message>
        <source>Open the folder that the new file is in</source>
        <translation>Открыть папку с новым файлом</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Закрыть</translation>
    </message>
    <message>
        <source>Close without exporting (Esc)</source>
        <translation>Закрыть без экспорта (Esc)</translation>
    </message>
    <message>
        <source>Give the new file a name.</source>
        <translation>Введите имя нового файла.</translation>
    </message>
    <message>
        <source>A name cannot hold a “/”.</source>
        <translation>Имя не может содержать «/».</translation>
    </message>
    <message>
        <source>The name is too long; shorten it.</source>
        <translation>Имя слишком длинное; сократите его.</translation>
    </message>
    <message>
        <source>There is no folder of this name; choose another one.</source>
        <translation>Такой папки нет; выберите другую.</translation>
    </message>
    <message>
        <source>Nothing can be written into this folder; choose another one.</source>
        <translation>В эту папку нельзя записывать; выберите другую.</translation>
    </message>
    <message>
        <source>The first frame comes after the last one.</source>
        <translation>Первый кадр стоит после последнего.</translation>
    </message>
    <message>
        <source>A folder “%1” exists already; choose another name.</source>
        <translation>Папка «%1» уже есть; выберите другое имя.</translation>
    </message>
    <message>
        <source>%1 and %2 more</source>
        <translation>%1 и ещё %2</translation>
    </message>
    <message>
        <source>%1, about %2</source>
        <translation>%1, около %2</translation>
    </message>
    <message>
        <source>%1 × %2 pixels</source>
        <translation>%1 × %2 пикс.</translation>
    </message>
    <message>
        <source>%1 × %2 pixels, %3 frames, %4, %5</source>
        <translation>%1 × %2 пикс., кадров: %3, %4, %5</translation>
    </message>
    <message>
        <source>All of them get the same settings and keep their names.</source>
        <translation>Для всех одинаковые настройки; имена сохраняются.</translation>
    </message>
    <message>
        <source>Write the new file (Enter)</source>
        <translation>Записать новый файл (Enter)</translation>
    </message>
    <message>
        <source>Folder for exported clips</source>
        <translation>Папка для экспорта</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Отмена</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Закрыть (Esc)</translation>
    </message>
    <message>
        <source>Stop exporting; no unfinished file stays (Esc)</source>
        <translation>Остановить экспорт; незавершённых файлов не останется (Esc)</translation>
    </message>
    <message>
        <source>Writing…</source>
        <translation>Запись…</translation>
    </message>
    <message>
        <source>Writing clip %1 of %2…</source>
        <translation>Запись клипа %1 из %2…</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Saved %1, %2.</source>
        <translation>Сохранено: %1, %2.</translation>
    </message>
    <message>
        <source>Saved %1 clips.</source>
        <translation>Сохранено клипов: %1.</translation>
    </message>
    <message>
        <source>Show files</source>
        <translation>Показать файлы</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>Отменено; ничего не записано.</translation>
    </message>
    <message>
        <source>Cancelled; written so far: %1.</source>
        <translation>Отменено; успело записаться: %1.</translation>
    </message>
</context>
<context>
    <name>fw::ui::FoldedSection</name>
    <message>
        <source>shown</source>
        <translation>показано</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>скрыто</translation>
    </message>
</context>
<context>
    <name>fw::ui::Formats</name>
    <message>
        <source>%1 s</source>
        <translation>%1 с</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 мин %2 с</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 ч %2 мин</translation>
    </message>
</context>
<context>
    <name>fw::ui::FrameRow</name>
    <message>
        <source>Frame</source>
        <translation>Кадр</translation>
    </message>
    <message>
        <source>Drag to look at one frame. I and O mark the part that is played.</source>
        <translation>Перетащите, чтобы увидеть нужный кадр. I и O отмечают воспроизводимый отрезок.</translation>
    </message>
    <message>
        <source>Frame, of how many</source>
        <translation>Номер кадра и их число</translation>
    </message>
    <message>
        <source>Minutes, seconds and hundredths, of how many</source>
        <translation>Минуты, секунды и сотые, и всего</translation>
    </message>
</context>
<context>
    <name>fw::ui::Frames</name>
    <message>
        <source>frame %1, row %2, column %3</source>
        <translation>кадр %1, строка %2, столбец %3</translation>
    </message>
</context>
<context>
    <name>fw::ui::Gates</name>
    <message>
        <source>Linear branch</source>
        <translation>Линейная ветвь</translation>
    </message>
    <message>
        <source>gates</source>
        <translation>затворы</translation>
    </message>
    <message>
        <source>Only the method SALAD has a linear branch; this clip was made with &apos;%1&apos;.</source>
        <translation>Линейная ветвь есть только у метода SALAD; этот клип сделан методом «%1».</translation>
    </message>
    <message>
        <source>gate at each patch; step %1, layer %2</source>
        <translation>затвор в каждом участке; шаг %1, слой %2</translation>
    </message>
    <message>
        <source>gate %1</source>
        <translation>затвор %1</translation>
    </message>
    <message>
        <source>gate of the linear branch</source>
        <translation>затвор линейной ветви</translation>
    </message>
    <message>
        <source>layer downwards, step to the right</source>
        <translation>слои вниз, шаги вправо</translation>
    </message>
    <message>
        <source>Step %1, layer %2</source>
        <translation>Шаг %1, слой %2</translation>
    </message>
    <message>
        <source>sparse part %1, linear part %2 (RMS)
ratio %3, mean gate %4</source>
        <translation>разреженная часть %1, линейная часть %2 (СКЗ)
отношение %3, средний затвор %4</translation>
    </message>
    <message>
        <source>not kept</source>
        <translation>не сохранено</translation>
    </message>
    <message>
        <source>linear part over sparse part, RMS</source>
        <translation>линейная часть к разреженной, СКЗ</translation>
    </message>
    <message>
        <source>Step %1, layer %2: the linear branch adds %3 of the sparse part&apos;s size; mean gate %4.</source>
        <translation>Шаг %1, слой %2: линейная ветвь добавляет %3 от размера разреженной части; средний затвор %4.</translation>
    </message>
    <message>
        <source>No share of the linear branch was kept at step %1, layer %2.</source>
        <translation>Для шага %1 и слоя %2 доля линейной ветви не сохранена.</translation>
    </message>
    <message>
        <source>The branch&apos;s weight λ (branch_scale) is %1.</source>
        <translation>Вес ветви λ (branch_scale) равен %1.</translation>
    </message>
</context>
<context>
    <name>fw::ui::Heads</name>
    <message>
        <source>spatial</source>
        <translation>пространственная</translation>
    </message>
    <message>
        <source>temporal</source>
        <translation>временная</translation>
    </message>
    <message>
        <source>global</source>
        <translation>общая</translation>
    </message>
    <message>
        <source>sink</source>
        <translation>сток</translation>
    </message>
</context>
<context>
    <name>fw::ui::ImguiWidget</name>
    <message>
        <source>The inspector draws with OpenGL 3.3, which this display does not offer.</source>
        <translation>Инспектор рисует через OpenGL 3.3, которого нет на этом дисплее.</translation>
    </message>
</context>
<context>
    <name>fw::ui::InspectWindow</name>
    <message>
        <source>%1 – Inspector</source>
        <translation>%1 – Инспектор</translation>
    </message>
</context>
<context>
    <name>fw::ui::InspectorPanel</name>
    <message>
        <source>Inspector</source>
        <translation>Инспектор</translation>
    </message>
    <message>
        <source>Copy as a picture</source>
        <translation>Копировать как изображение</translation>
    </message>
    <message>
        <source>Views</source>
        <translation>Виды</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Экспорт</translation>
    </message>
    <message>
        <source>Export the view</source>
        <translation>Экспорт вида</translation>
    </message>
    <message>
        <source>Copy or save what is shown, with its settings</source>
        <translation>Скопировать или сохранить показанное вместе с настройками</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>Шаг</translation>
    </message>
    <message>
        <source>Denoising step (← →)</source>
        <translation>Шаг очистки от шума (← →)</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>Слой</translation>
    </message>
    <message>
        <source>Layer of the model (↑ ↓)</source>
        <translation>Слой модели (↑ ↓)</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Голова</translation>
    </message>
    <message>
        <source>Attention head ([ ])</source>
        <translation>Голова внимания ([ ])</translation>
    </message>
    <message>
        <source>with the prompt</source>
        <translation>с описанием</translation>
    </message>
    <message>
        <source>without the prompt</source>
        <translation>без описания</translation>
    </message>
    <message>
        <source>Which of the two passes of guidance</source>
        <translation>Какой из двух проходов управления</translation>
    </message>
    <message>
        <source>Pass</source>
        <translation>Проход</translation>
    </message>
    <message>
        <source>Make it again with probes</source>
        <translation>Сделать снова с зондами</translation>
    </message>
    <message>
        <source>Adds the clip to the queue again, with the same seed, and looks into it on the way</source>
        <translation>Снова ставит клип в очередь с тем же зерном и заглядывает внутрь по ходу дела</translation>
    </message>
    <message>
        <source>Save as SVG…</source>
        <translation>Сохранить как SVG…</translation>
    </message>
    <message>
        <source>Save as PNG…</source>
        <translation>Сохранить как PNG…</translation>
    </message>
    <message>
        <source>Save the numbers as CSV…</source>
        <translation>Сохранить числа как CSV…</translation>
    </message>
    <message>
        <source>Save the numbers for NumPy…</source>
        <translation>Сохранить числа для NumPy…</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Рядом</translation>
    </message>
    <message>
        <source>Shows the other trace beside this one, at the same step, layer and head</source>
        <translation>Показывает другой протокол рядом с этим, на том же шаге, слое и голове</translation>
    </message>
    <message>
        <source>Compare with another trace…</source>
        <translation>Сравнить с другим протоколом…</translation>
    </message>
    <message>
        <source>Compared with %1</source>
        <translation>Сравнивается с %1</translation>
    </message>
    <message>
        <source>The run failed here: %1</source>
        <translation>На этом запуск прервался: %1</translation>
    </message>
    <message>
        <source>Reading the trace…</source>
        <translation>Чтение протокола…</translation>
    </message>
    <message>
        <source>Choose a clip in the library to look into how it was made.</source>
        <translation>Выберите клип в библиотеке, чтобы увидеть, как он сделан.</translation>
    </message>
    <message>
        <source>%1 has no trace: nothing was kept of how it was made.</source>
        <translation>У клипа «%1» нет протокола: о том, как он сделан, ничего не сохранено.</translation>
    </message>
    <message>
        <source> of %1</source>
        <translation> из %1</translation>
    </message>
    <message>
        <source>The view is in the clipboard.</source>
        <translation>Вид скопирован в буфер обмена.</translation>
    </message>
    <message>
        <source>Saved: %1</source>
        <translation>Сохранено: %1</translation>
    </message>
    <message>
        <source>Save the view</source>
        <translation>Сохранить вид</translation>
    </message>
    <message>
        <source>Compare with another trace</source>
        <translation>Сравнить с другим протоколом</translation>
    </message>
    <message>
        <source>Traces (*.safetensors)</source>
        <translation>Протоколы (*.safetensors)</translation>
    </message>
    <message>
        <source>Look inside from the next step on</source>
        <translation>Заглянуть внутрь со следующего шага</translation>
    </message>
    <message>
        <source>Adds probes to the clip that is being made; the clip stays the same</source>
        <translation>Добавляет датчики к клипу, который создаётся; сам клип не меняется</translation>
    </message>
    <message>
        <source>Save the changes for fw branch…</source>
        <translation>Сохранить изменения для fw branch…</translation>
    </message>
    <message>
        <source>Save the changes</source>
        <translation>Сохранить изменения</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2.</source>
        <translation>%1 не удалось записать: %2.</translation>
    </message>
    <message>
        <source>%1 is being made: what happens inside appears here after its next step.</source>
        <translation>%1 создаётся: происходящее внутри появится здесь после следующего шага.</translation>
    </message>
    <message>
        <source>The changes this clip was made with cannot be read: make them anew on the clip it came from.</source>
        <translation>Изменения, с которыми сделан этот клип, не читаются: внесите их заново в исходном клипе.</translation>
    </message>
    <message>
        <source>Too much has changed since the first clip: %1</source>
        <translation>С первого клипа изменено слишком многое: %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::InvitationView</name>
    <message>
        <source>Describe a clip</source>
        <translation>Опишите клип</translation>
    </message>
    <message>
        <source>Write who does what, and where, then press Run. The clip forms here while you watch. Or start from one of these:</source>
        <translation>Напишите, кто что делает и где, и нажмите «Создать». Клип будет проявляться здесь у вас на глазах. Или начните с примера:</translation>
    </message>
    <message>
        <source>Put this into the prompt</source>
        <translation>Вставить в промпт</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryEdits</name>
    <message>
        <source>stars</source>
        <translation>изменение оценки</translation>
    </message>
    <message>
        <source>add a tag</source>
        <translation>добавление метки</translation>
    </message>
    <message>
        <source>remove a tag</source>
        <translation>удаление метки</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>изменение заметок</translation>
    </message>
    <message>
        <source>move to the trash</source>
        <translation>перемещение в корзину</translation>
    </message>
    <message>
        <source>restore</source>
        <translation>восстановление</translation>
    </message>
    <message>
        <source>move to %1</source>
        <translation>перемещение в «%1»</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryGrid</name>
    <message>
        <source>Clips</source>
        <translation>Клипы</translation>
    </message>
    <message>
        <source>Play the clip</source>
        <translation>Воспроизвести клип</translation>
    </message>
    <message>
        <source>Give stars</source>
        <translation>Поставить звёзды</translation>
    </message>
    <message>
        <source>Add to the comparison</source>
        <translation>Добавить к сравнению</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>Переместить в корзину</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Повторить</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryModel</name>
    <message>
        <source>%1
Its file is missing: %2</source>
        <translation>%1
Файл не найден: %2</translation>
    </message>
    <message>
        <source>%1, one star</source>
        <translation>%1, одна звезда</translation>
    </message>
    <message numerus="yes">
        <source>%1, %n stars</source>
        <translation>
            <numerusform>%1, %n звезда</numerusform>
            <numerusform>%1, %n звезды</numerusform>
            <numerusform>%1, %n звёзд</numerusform>
        </translation>
    </message>
    <message>
        <source>%1, file missing</source>
        <translation>%1, файл не найден</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryPanel</name>
    <message>
        <source>Try again</source>
        <translation>Попробовать снова</translation>
    </message>
    <message>
        <source>One clip deleted.</source>
        <translation>Удалён один клип.</translation>
    </message>
    <message numerus="yes">
        <source>%n clips deleted.</source>
        <translation>
            <numerusform>Удалён %n клип.</numerusform>
            <numerusform>Удалено %n клипа.</numerusform>
            <numerusform>Удалено %n клипов.</numerusform>
        </translation>
    </message>
    <message>
        <source>The clips are gone from the library, but %1 could not be deleted.</source>
        <translation>Клипы убраны из библиотеки, но %1 удалить не удалось.</translation>
    </message>
    <message>
        <source>Other changes came after it: Ctrl+Z takes them back one by one.</source>
        <translation>После этого были другие изменения: Ctrl+Z отменяет их по одному.</translation>
    </message>
    <message>
        <source>1 clip</source>
        <translation>1 клип</translation>
    </message>
    <message>
        <source>%1 clips</source>
        <translation>Клипов: %1</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Ничего не найдено</translation>
    </message>
    <message>
        <source>No clip matches “%1”.</source>
        <translation>Нет клипов по запросу «%1».</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Очистить поиск</translation>
    </message>
    <message>
        <source>The trash is empty</source>
        <translation>Корзина пуста</translation>
    </message>
    <message>
        <source>Clips you move to the trash wait here.</source>
        <translation>Здесь ждут клипы, перемещённые в корзину.</translation>
    </message>
    <message>
        <source>No clips in this project</source>
        <translation>В проекте нет клипов</translation>
    </message>
    <message>
        <source>Select clips and move them here from their menu.</source>
        <translation>Выберите клипы и переместите их сюда через меню.</translation>
    </message>
    <message>
        <source>Show all projects</source>
        <translation>Показать все проекты</translation>
    </message>
    <message>
        <source>No clips yet</source>
        <translation>Клипов пока нет</translation>
    </message>
    <message>
        <source>Every clip you make is kept here, with everything that made it.</source>
        <translation>Здесь хранится каждый созданный клип со всем, что его определило.</translation>
    </message>
    <message>
        <source>Only the first %1 of the selected clips are used.</source>
        <translation>Из выбранных клипов взяты только первые %1.</translation>
    </message>
    <message>
        <source>The file of this clip is missing: %1</source>
        <translation>Файл этого клипа не найден: %1</translation>
    </message>
    <message>
        <source>The file is %1</source>
        <translation>Файл: %1</translation>
    </message>
    <message>
        <source>The settings are on the clipboard.</source>
        <translation>Настройки в буфере обмена.</translation>
    </message>
    <message>
        <source>One clip moved to the trash.</source>
        <translation>Один клип перемещён в корзину.</translation>
    </message>
    <message numerus="yes">
        <source>%n clips moved to the trash.</source>
        <translation>
            <numerusform>%n клип перемещён в корзину.</numerusform>
            <numerusform>%n клипа перемещены в корзину.</numerusform>
            <numerusform>%n клипов перемещены в корзину.</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>One clip restored.</source>
        <translation>Один клип восстановлен.</translation>
    </message>
    <message numerus="yes">
        <source>%n clips restored.</source>
        <translation>
            <numerusform>%n клип восстановлен.</numerusform>
            <numerusform>%n клипа восстановлены.</numerusform>
            <numerusform>%n клипов восстановлены.</numerusform>
        </translation>
    </message>
    <message>
        <source>Delete this clip for good?</source>
        <translation>Удалить этот клип навсегда?</translation>
    </message>
    <message numerus="yes">
        <source>Delete %n clips for good?</source>
        <translation>
            <numerusform>Удалить навсегда %n клип?</numerusform>
            <numerusform>Удалить навсегда %n клипа?</numerusform>
            <numerusform>Удалить навсегда %n клипов?</numerusform>
        </translation>
    </message>
    <message>
        <source>What is deleted is gone from the disk too. This cannot be taken back.</source>
        <translation>Файлы исчезнут и с диска. Отменить это нельзя.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Оставить</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Восстановить</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>Удалить навсегда…</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Воспроизвести</translation>
    </message>
    <message>
        <source>Load settings</source>
        <translation>Загрузить настройки</translation>
    </message>
    <message>
        <source>Vary seed</source>
        <translation>Сменить сид</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>Показать в папке</translation>
    </message>
    <message>
        <source>What differs…</source>
        <translation>Различия…</translation>
    </message>
    <message>
        <source>Add to the comparison</source>
        <translation>Добавить к сравнению</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Экспорт…</translation>
    </message>
    <message>
        <source>Copy settings</source>
        <translation>Копировать настройки</translation>
    </message>
    <message>
        <source>Stars</source>
        <translation>Оценка</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Нет</translation>
    </message>
    <message>
        <source>Move to project</source>
        <translation>Переместить в проект</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>Новый проект…</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>Переместить в корзину</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>Новый проект</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Имя</translation>
    </message>
    <message>
        <source>Rename project</source>
        <translation>Переименовать проект</translation>
    </message>
    <message>
        <source>One clip to compare: add another one.</source>
        <translation>К сравнению отложен один клип: добавьте ещё.</translation>
    </message>
    <message numerus="yes">
        <source>%n clips to compare</source>
        <translation>
            <numerusform>К сравнению: %n клип</numerusform>
            <numerusform>К сравнению: %n клипа</numerusform>
            <numerusform>К сравнению: %n клипов</numerusform>
        </translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Проект</translation>
    </message>
    <message>
        <source>Shows the clips of one project, which new clips join</source>
        <translation>Показывает клипы одного проекта; новые клипы попадают в него</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>Все проекты</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>Порядок</translation>
    </message>
    <message>
        <source>The order of the clips</source>
        <translation>Порядок клипов</translation>
    </message>
    <message>
        <source>Newest</source>
        <translation>Новые</translation>
    </message>
    <message>
        <source>Oldest</source>
        <translation>Старые</translation>
    </message>
    <message>
        <source>Most stars</source>
        <translation>Лучшая оценка</translation>
    </message>
    <message>
        <source>Longest</source>
        <translation>Длинные</translation>
    </message>
    <message>
        <source>Prompt A–Z</source>
        <translation>Промпт А–Я</translation>
    </message>
    <message>
        <source>Show as a list</source>
        <translation>Показать списком</translation>
    </message>
    <message>
        <source>Shows one clip in each line</source>
        <translation>По одному клипу в строке</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>Корзина</translation>
    </message>
    <message>
        <source>Shows the clips in the trash</source>
        <translation>Показывает клипы в корзине</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Ещё</translation>
    </message>
    <message>
        <source>Projects, size of the tiles, trash</source>
        <translation>Проекты, размер миниатюр, корзина</translation>
    </message>
    <message>
        <source>Size of the tiles</source>
        <translation>Размер миниатюр</translation>
    </message>
    <message>
        <source>Small</source>
        <translation>Мелкие</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Средние</translation>
    </message>
    <message>
        <source>Large</source>
        <translation>Крупные</translation>
    </message>
    <message>
        <source>Rename this project…</source>
        <translation>Переименовать этот проект…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>Очистить корзину…</translation>
    </message>
    <message>
        <source>Clips wait in the trash until you delete them.</source>
        <translation>Клипы ждут в корзине, пока вы их не удалите.</translation>
    </message>
    <message>
        <source>Takes the selected clips out of the trash</source>
        <translation>Возвращает выбранные клипы из корзины</translation>
    </message>
    <message>
        <source>Deletes the selected clips and their files</source>
        <translation>Удаляет выбранные клипы и их файлы</translation>
    </message>
    <message>
        <source>Shows the settings of the collected clips side by side</source>
        <translation>Показывает настройки отложенных клипов рядом</translation>
    </message>
    <message>
        <source>Forget the collected clips</source>
        <translation>Убрать отложенные клипы</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Поиск</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibrarySearch</name>
    <message>
        <source>model&apos;s name</source>
        <translation>имя модели</translation>
    </message>
    <message>
        <source>attention method</source>
        <translation>метод внимания</translation>
    </message>
    <message>
        <source>has this tag</source>
        <translation>есть такая метка</translation>
    </message>
    <message>
        <source>number of stars</source>
        <translation>число звёзд</translation>
    </message>
    <message>
        <source>project&apos;s name</source>
        <translation>имя проекта</translation>
    </message>
    <message>
        <source>day it was made</source>
        <translation>дата создания</translation>
    </message>
    <message>
        <source>denoising steps</source>
        <translation>шаги денойзинга</translation>
    </message>
    <message>
        <source>guidance</source>
        <translation>сила CFG</translation>
    </message>
    <message>
        <source>digits of the seed</source>
        <translation>цифры сида</translation>
    </message>
    <message>
        <source>sampler</source>
        <translation>сэмплер</translation>
    </message>
    <message>
        <source>number of frames</source>
        <translation>число кадров</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>пиксели</translation>
    </message>
    <message>
        <source>time it took to make</source>
        <translation>время создания</translation>
    </message>
    <message>
        <source>device it ran on</source>
        <translation>устройство</translation>
    </message>
    <message>
        <source>file is missing</source>
        <translation>файл не найден</translation>
    </message>
    <message>
        <source>Search: words, model:mini, star:&gt;=3 …</source>
        <translation>Поиск: слова, model:mini, star:&gt;=3 …</translation>
    </message>
    <message>
        <source>Search the clips</source>
        <translation>Поиск клипов</translation>
    </message>
    <message>
        <source>Words of the prompt, notes and tags, and terms such as steps:&gt;20. Ctrl+F comes here.</source>
        <translation>Слова из промпта, заметок и меток и условия вида steps:&gt;20. Сюда ведёт Ctrl+F.</translation>
    </message>
    <message>
        <source>How to search</source>
        <translation>Как искать</translation>
    </message>
    <message>
        <source>What the search understands</source>
        <translation>Что понимает поиск</translation>
    </message>
    <message>
        <source>At character %1: %2.</source>
        <translation>Символ %1: %2.</translation>
    </message>
    <message>
        <source>Words are looked for in prompts, notes and tags; the last letters may be missing. “Several words” in quotes belong together, a minus sign excludes.</source>
        <translation>Слова ищутся в промптах, заметках и метках; окончание можно не писать. «Несколько слов» в кавычках ищутся вместе, минус исключает.</translation>
    </message>
    <message>
        <source>Add %1 to the search</source>
        <translation>Добавить %1 в поиск</translation>
    </message>
</context>
<context>
    <name>fw::ui::LogView</name>
    <message>
        <source>Log</source>
        <translation>Журнал</translation>
    </message>
    <message>
        <source>What the engine, the queue and the library said since the start</source>
        <translation>Что сообщили движок, очередь и библиотека с начала работы</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>Показывать нечего</translation>
    </message>
    <message>
        <source>Include my prompts</source>
        <translation>С моими промптами</translation>
    </message>
    <message>
        <source>Without this the copied text does not tell what you make</source>
        <translation>Без этого из скопированного текста не видно, что вы делаете</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Скопировать диагностику</translation>
    </message>
    <message>
        <source>Version, devices, settings and the last lines of the log, for a report of a defect</source>
        <translation>Версия, устройства, настройки и последние строки журнала — для сообщения об ошибке</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Закрыть</translation>
    </message>
    <message>
        <source>Close the log</source>
        <translation>Закрыть журнал</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Всё</translation>
    </message>
    <message>
        <source>Warnings and errors</source>
        <translation>Предупреждения и ошибки</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Ошибки</translation>
    </message>
    <message>
        <source>Shown lines</source>
        <translation>Показанные строки</translation>
    </message>
    <message>
        <source>Which lines are shown</source>
        <translation>Какие строки показывать</translation>
    </message>
    <message>
        <source>Search the log</source>
        <translation>Поиск в журнале</translation>
    </message>
    <message>
        <source>Only lines that contain this are shown</source>
        <translation>Показываются только строки, в которых это есть</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Следить</translation>
    </message>
    <message>
        <source>Scroll to what is said last</source>
        <translation>Прокручивать к последнему сообщению</translation>
    </message>
</context>
<context>
    <name>fw::ui::MachineForm</name>
    <message>
        <source>Machine</source>
        <translation>Компьютер</translation>
    </message>
    <message>
        <source>What computes the clip, how exactly, and with how much memory</source>
        <translation>На чём вычисляется клип, с какой точностью и сколько памяти на это отводится</translation>
    </message>
    <message>
        <source>What computes the clip. Automatic: a graphics card that can, else the processor.</source>
        <translation>На чём вычисляется клип. «Автоматически»: подходящая видеокарта, а если её нет, процессор.</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Устройство</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Автоматически</translation>
    </message>
    <message>
        <source>bf16, quick</source>
        <translation>bf16, быстро</translation>
    </message>
    <message>
        <source>f32, exact</source>
        <translation>f32, точно</translation>
    </message>
    <message>
        <source>fp8, quickest</source>
        <translation>fp8, быстрее всего</translation>
    </message>
    <message>
        <source>Number type the model computes in. fp8 needs a graphics card that has it, and changes the clip a little.</source>
        <translation>Числовой тип, в котором считает модель. Для fp8 нужна видеокарта, которая его умеет; клип при этом немного меняется.</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Точность</translation>
    </message>
    <message>
        <source> GiB</source>
        <translation> ГиБ</translation>
    </message>
    <message>
        <source>All that is free</source>
        <translation>Вся свободная</translation>
    </message>
    <message>
        <source>The most memory the clip may take. With less, weights wait outside and the clip is decoded in smaller pieces; what cannot fit is refused before it begins.</source>
        <translation>Сколько памяти может занять клип. Если её мало, веса ждут снаружи, а клип декодируется меньшими частями; что не помещается, отклоняется до начала.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Все</translation>
    </message>
    <message>
        <source>Threads of the processor that compute</source>
        <translation>Сколько потоков процессора считают</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Потоки</translation>
    </message>
    <message>
        <source>%1, not here</source>
        <translation>%1, здесь нет</translation>
    </message>
</context>
<context>
    <name>fw::ui::MainWindow</name>
    <message>
        <source>Prompt</source>
        <translation>Промпт</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>Очередь</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Библиотека</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Продолжить</translation>
    </message>
    <message>
        <source>Make the clips that wait</source>
        <translation>Создать ожидающие клипы</translation>
    </message>
    <message>
        <source>Keep paused</source>
        <translation>Оставить на паузе</translation>
    </message>
    <message>
        <source>Leave the queue as it is for now</source>
        <translation>Пока не трогать очередь</translation>
    </message>
    <message>
        <source>Clip in the making</source>
        <translation>Создаваемый клип</translation>
    </message>
    <message>
        <source>Show it</source>
        <translation>Показать</translation>
    </message>
    <message>
        <source>Back to the clip that is being made</source>
        <translation>Вернуться к создаваемому клипу</translation>
    </message>
    <message>
        <source>Show or hide this panel</source>
        <translation>Показать или скрыть панель</translation>
    </message>
    <message>
        <source>that clip</source>
        <translation>этого клипа</translation>
    </message>
    <message numerus="yes">
        <source>The queue is paused; %n clip(s) wait.</source>
        <translation>
            <numerusform>Очередь на паузе; ожидает %n клип.</numerusform>
            <numerusform>Очередь на паузе; ожидают %n клипа.</numerusform>
            <numerusform>Очередь на паузе; ожидают %n клипов.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait; the one in the making goes on from its last step.</source>
        <translation>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидает %n клип; незаконченный продолжится с последнего шага.</numerusform>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидают %n клипа; незаконченный продолжится с последнего шага.</numerusform>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидают %n клипов; незаконченный продолжится с последнего шага.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait.</source>
        <translation>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидает %n клип.</numerusform>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидают %n клипа.</numerusform>
            <numerusform>В прошлый раз Framewright завершился аварийно. Ожидают %n клипов.</numerusform>
        </translation>
    </message>
    <message>
        <source>Another clip is being made: step %1 of %2.</source>
        <translation>Создаётся другой клип: шаг %1 из %2.</translation>
    </message>
    <message>
        <source>Another clip is being made.</source>
        <translation>Создаётся другой клип.</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>Выберите папку модели</translation>
    </message>
    <message>
        <source>A clip is done</source>
        <translation>Клип готов</translation>
    </message>
    <message>
        <source>A clip was not made</source>
        <translation>Клип не создан</translation>
    </message>
    <message>
        <source>loading of settings</source>
        <translation>загрузку настроек</translation>
    </message>
    <message>
        <source>The settings of %1 are in the form.</source>
        <translation>Настройки %1 загружены в форму.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>The folder is %1</source>
        <translation>Папка: %1</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Файл</translation>
    </message>
    <message>
        <source>Load settings from a clip…</source>
        <translation>Загрузить настройки из клипа…</translation>
    </message>
    <message>
        <source>Load settings from a clip</source>
        <translation>Загрузка настроек из клипа</translation>
    </message>
    <message>
        <source>Clips (*.mp4 *.webm *.mkv *.mov *.gif *.webp *.png);;All files (*)</source>
        <translation>Клипы (*.mp4 *.webm *.mkv *.mov *.gif *.webp *.png);;Все файлы (*)</translation>
    </message>
    <message>
        <source>Export the clip…</source>
        <translation>Экспорт клипа…</translation>
    </message>
    <message>
        <source>Choose a model folder…</source>
        <translation>Выбрать папку модели…</translation>
    </message>
    <message>
        <source>Use the embedded model</source>
        <translation>Использовать встроенную модель</translation>
    </message>
    <message>
        <source>Open the library folder</source>
        <translation>Открыть папку библиотеки</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Настройки…</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Выход</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Правка</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Повторить</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Вид</translation>
    </message>
    <message>
        <source>Next panel</source>
        <translation>Следующая панель</translation>
    </message>
    <message>
        <source>Previous panel</source>
        <translation>Предыдущая панель</translation>
    </message>
    <message>
        <source>Show the clip in the making</source>
        <translation>Показать создаваемый клип</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Оформление</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Во весь экран</translation>
    </message>
    <message>
        <source>Reset the layout</source>
        <translation>Сбросить расположение</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Как в системе</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Светлое</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Тёмное</translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation>&amp;Очередь</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Создать</translation>
    </message>
    <message>
        <source>Show an exact preview now</source>
        <translation>Показать точный предпросмотр сейчас</translation>
    </message>
    <message>
        <source>Stop and keep what there is</source>
        <translation>Остановить и сохранить, что есть</translation>
    </message>
    <message>
        <source>Cancel the clip</source>
        <translation>Отменить клип</translation>
    </message>
    <message>
        <source>Pause the queue</source>
        <translation>Приостановить очередь</translation>
    </message>
    <message>
        <source>The clip in the making goes on; no other one begins</source>
        <translation>Создаваемый клип будет закончен, новые не начнутся</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Справка</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Сочетания клавиш</translation>
    </message>
    <message>
        <source>About Framewright</source>
        <translation>О программе Framewright</translation>
    </message>
    <message>
        <source>The model “%1” of these settings is not on this machine.</source>
        <translation>Модели «%1» из этих настроек нет на этом компьютере.</translation>
    </message>
    <message>
        <source>The model “%1” of these settings cannot be used: %2</source>
        <translation>Модель «%1» из этих настроек нельзя использовать: %2</translation>
    </message>
    <message>
        <source>%1 The next clip is made with “%2”.</source>
        <translation>%1 Следующий клип будет сделан моделью «%2».</translation>
    </message>
    <message>
        <source>Log…</source>
        <translation>Журнал…</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Инспектор</translation>
    </message>
    <message>
        <source>The settings of this clip cannot be read.</source>
        <translation>Настройки этого клипа не читаются.</translation>
    </message>
    <message>
        <source>Made again with probes: the clip is the same in every pixel.</source>
        <translation>Создано заново с зондами: клип совпадает до каждого пикселя.</translation>
    </message>
    <message>
        <source>Made again, but not the same: %1 of %2 frames differ. Another device, number type or version?</source>
        <translation>Создано заново, но клип другой: отличаются %1 из %2 кадров. Другое устройство, тип чисел или версия?</translation>
    </message>
    <message>
        <source>What was seen inside until then is kept.</source>
        <translation>Увиденное внутри до этого момента сохранено.</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>Заглянуть внутрь</translation>
    </message>
    <message>
        <source>Made again with your changes: the inspector shows both side by side.</source>
        <translation>Создано заново с вашими изменениями: инспектор показывает оба рядом.</translation>
    </message>
</context>
<context>
    <name>fw::ui::Maps</name>
    <message>
        <source>(%1, %2, %3)</source>
        <translation>(%1, %2, %3)</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Головы</translation>
    </message>
    <message>
        <source>attention maps</source>
        <translation>карты внимания</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>Сетка</translation>
    </message>
    <message>
        <source>What the rows and the columns of the small maps are</source>
        <translation>Что стоит в строках и столбцах маленьких карт</translation>
    </message>
    <message>
        <source>no finite numbers</source>
        <translation>нет конечных чисел</translation>
    </message>
    <message>
        <source>layers × heads</source>
        <translation>слои × головы</translation>
    </message>
    <message>
        <source>steps × heads</source>
        <translation>шаги × головы</translation>
    </message>
    <message>
        <source>steps × layers</source>
        <translation>шаги × слои</translation>
    </message>
    <message>
        <source>step</source>
        <translation>шаг</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>слой</translation>
    </message>
    <message>
        <source>head</source>
        <translation>голова</translation>
    </message>
    <message>
        <source>%1 downwards, %2 to the right</source>
        <translation>%1 вниз, %2 вправо</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3</source>
        <translation>Шаг %1, слой %2, голова %3</translation>
    </message>
    <message>
        <source>%1; entropy %2 nats
mean distance %3 frames, %4 rows, %5 columns
largest key %6, own frame %7</source>
        <translation>%1; энтропия %2 нат
среднее расстояние: кадров %3, строк %4, столбцов %5
больший ключ %6, свой кадр %7</translation>
    </message>
    <message>
        <source>not kept</source>
        <translation>не сохранено</translation>
    </message>
    <message>
        <source>No map was kept here.</source>
        <translation>Здесь карта не сохранена.</translation>
    </message>
    <message>
        <source>keys to the right, queries downwards, in blocks of the clip</source>
        <translation>ключи вправо, запросы вниз, по блокам клипа</translation>
    </message>
    <message>
        <source>from block %1 to block %2 (time, row, column)
mass %3</source>
        <translation>от блока %1 к блоку %2 (время, строка, столбец)
масса %3</translation>
    </message>
    <message>
        <source>attention mass, square root</source>
        <translation>масса внимания, корень</translation>
    </message>
    <message>
        <source>Pooled attention of step %1, layer %2, head %3.</source>
        <translation>Внимание по блокам: шаг %1, слой %2, голова %3.</translation>
    </message>
    <message>
        <source>Step %1: %2 spatial, %3 temporal, %4 global and %5 sink heads.</source>
        <translation>Шаг %1: голов пространственных %2, временных %3, общих %4, стоков %5.</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>Порядок</translation>
    </message>
    <message>
        <source>Heads by their numbers, or those of a kind beside one another in each row</source>
        <translation>Головы по номерам или головы одного вида рядом в каждой строке</translation>
    </message>
    <message>
        <source>by number</source>
        <translation>по номерам</translation>
    </message>
    <message>
        <source>by kind</source>
        <translation>по видам</translation>
    </message>
    <message>
        <source>%1 downwards, heads by kind to the right</source>
        <translation>%1 вниз, головы по видам вправо</translation>
    </message>
</context>
<context>
    <name>fw::ui::Masks</name>
    <message>
        <source>Masks</source>
        <translation>Маски</translation>
    </message>
    <message>
        <source>No masks here: the method &apos;%1&apos; computed all pairs of tiles, or the probe &apos;mask&apos; was not asked for.</source>
        <translation>Масок нет: метод «%1» вычислил все пары плиток, или зонд «mask» не запрашивался.</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>маски</translation>
    </message>
    <message>
        <source>Compare with</source>
        <translation>Сравнить с</translation>
    </message>
    <message>
        <source>Colours what only one of two masks computed. Another trace is chosen in the menu Export.</source>
        <translation>Выделяет цветом то, что вычислила только одна из двух масок. Другой протокол выбирают в меню «Экспорт».</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>ни с чем</translation>
    </message>
    <message>
        <source>the step before</source>
        <translation>прошлым шагом</translation>
    </message>
    <message>
        <source>the layer before</source>
        <translation>прошлым слоем</translation>
    </message>
    <message>
        <source>the head before</source>
        <translation>прошлой головой</translation>
    </message>
    <message>
        <source>the other trace</source>
        <translation>другим протоколом</translation>
    </message>
    <message>
        <source>computed by both</source>
        <translation>вычислено обеими</translation>
    </message>
    <message>
        <source>only here</source>
        <translation>только здесь</translation>
    </message>
    <message>
        <source>only there</source>
        <translation>только там</translation>
    </message>
    <message>
        <source>skipped by both</source>
        <translation>пропущено обеими</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>вычислено</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>пропущено</translation>
    </message>
    <message>
        <source>No other trace is open: choose one in the menu Export.</source>
        <translation>Другой протокол не открыт: выберите его в меню «Экспорт».</translation>
    </message>
    <message>
        <source>There is no mask to compare with.</source>
        <translation>Сравнить не с чем: там нет маски.</translation>
    </message>
    <message>
        <source>key tiles to the right, query tiles downwards</source>
        <translation>плитки ключей вправо, плитки запросов вниз</translation>
    </message>
    <message>
        <source>query tile %1 kept %2 of its attention</source>
        <translation>плитка запросов %1 сохранила %2 внимания</translation>
    </message>
    <message>
        <source>right: share of the attention that was kept, 0 (dark) to 1</source>
        <translation>справа: доля сохранённого внимания, от 0 (тёмное) до 1</translation>
    </message>
    <message>
        <source>tiles of %1 tokens</source>
        <translation>плитки по %1 токенов</translation>
    </message>
    <message>
        <source>query tile %1, key tile %2: %3</source>
        <translation>плитка запросов %1, плитка ключей %2: %3</translation>
    </message>
    <message>
        <source>computed share and kept mass of each head</source>
        <translation>вычисленная доля и сохранённая масса каждой головы</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>голова %1</translation>
    </message>
    <message>
        <source>No mask was kept here.</source>
        <translation>Здесь маска не сохранена.</translation>
    </message>
    <message>
        <source>what query tile %1 looks at, frame by frame</source>
        <translation>куда смотрит плитка запросов %1, кадр за кадром</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3: %4 of the tiles computed</source>
        <translation>Шаг %1, слой %2, голова %3: вычислено %4 плиток</translation>
    </message>
    <message>
        <source>, %1 of the attention kept</source>
        <translation>, сохранено %1 внимания</translation>
    </message>
    <message>
        <source>Compared: %1 tiles in both, %2 only here, %3 only there; Jaccard index %4.</source>
        <translation>Сравнение: плиток в обеих %1, только здесь %2, только там %3; индекс Жаккара %4.</translation>
    </message>
    <message>
        <source>painted</source>
        <translation>нарисовано</translation>
    </message>
    <message>
        <source>erased</source>
        <translation>стёрто</translation>
    </message>
    <message>
        <source>This head reads the frames of one place together: such a mask cannot be painted.</source>
        <translation>Эта голова читает кадры одного места подряд: такую маску рисовать нельзя.</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3: no mask was kept of what this head computed.</source>
        <translation>Шаг %1, слой %2, голова %3: маска того, что вычислила эта голова, не сохранена.</translation>
    </message>
</context>
<context>
    <name>fw::ui::Memories</name>
    <message>
        <source>%1 tokens</source>
        <translation>%1 токенов</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Память</translation>
    </message>
    <message>
        <source>No scans here: only LinGen&apos;s models have them, and the probe &apos;scan&apos; shows how long they remember.</source>
        <translation>Здесь нет сканов: они есть только у моделей LinGen, а датчик «scan» показывает, как долго они помнят.</translation>
    </message>
    <message>
        <source>how long it remembers</source>
        <translation>как долго помнит</translation>
    </message>
    <message>
        <source>what it takes from the review tokens</source>
        <translation>что берёт из обзорных токенов</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Показать</translation>
    </message>
    <message>
        <source>Tokens until half is forgotten, or the share of each review token in what the scan begins with</source>
        <translation>Токены до забывания половины или доля каждого обзорного токена в том, с чего начинается скан</translation>
    </message>
    <message>
        <source>Direction</source>
        <translation>Направление</translation>
    </message>
    <message>
        <source>The scan reads the clip from both ends</source>
        <translation>Скан читает клип с обоих концов</translation>
    </message>
    <message>
        <source>forwards</source>
        <translation>вперёд</translation>
    </message>
    <message>
        <source>backwards</source>
        <translation>назад</translation>
    </message>
    <message>
        <source>Nothing was kept of the scan here.</source>
        <translation>Здесь о скане ничего не сохранено.</translation>
    </message>
    <message>
        <source>review tokens a head draws on</source>
        <translation>обзорные токены, на которые опирается голова</translation>
    </message>
    <message>
        <source>tokens until half is forgotten, median of places</source>
        <translation>токены до забывания половины, медиана по местам</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>голова %1</translation>
    </message>
    <message>
        <source>head %1: %2</source>
        <translation>голова %1: %2</translation>
    </message>
    <message>
        <source>share of each review token; step %1, layer %2, head %3</source>
        <translation>доля каждого обзорного токена; шаг %1, слой %2, голова %3</translation>
    </message>
    <message>
        <source>tokens until half is forgotten; step %1, layer %2, head %3</source>
        <translation>токены до забывания половины; шаг %1, слой %2, голова %3</translation>
    </message>
    <message>
        <source>share %1</source>
        <translation>доля %1</translation>
    </message>
    <message>
        <source>share of the scan&apos;s beginning</source>
        <translation>доля начала скана</translation>
    </message>
    <message>
        <source>tokens, logarithmic</source>
        <translation>токены, логарифмически</translation>
    </message>
    <message>
        <source>This layer&apos;s path through the clip is not one of LinGen&apos;s four.</source>
        <translation>Путь этого слоя через клип — не один из четырёх путей LinGen.</translation>
    </message>
    <message>
        <source>place in the sequence</source>
        <translation>место в последовательности</translation>
    </message>
    <message>
        <source>tokens until half is forgotten, along the scan; range and mean</source>
        <translation>токены до забывания половины, вдоль скана; диапазон и среднее</translation>
    </message>
    <message>
        <source>step %1, layer %2, head %3, %4</source>
        <translation>шаг %1, слой %2, голова %3, %4</translation>
    </message>
    <message>
        <source>The scan begins with what is left of %1 review tokens, as if it took %2 of them evenly; %3.</source>
        <translation>Скан начинается с того, что осталось от %1 обзорных токенов, как если бы он взял поровну %2 из них; %3.</translation>
    </message>
    <message>
        <source>Half is forgotten after %1 along the scan, median of places; %2.</source>
        <translation>Половина забывается через %1 вдоль скана, медиана по местам; %2.</translation>
    </message>
</context>
<context>
    <name>fw::ui::MethodForm</name>
    <message>
        <source>From %1 to %2%3.</source>
        <translation>От %1 до %2%3.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>вкл.</translation>
    </message>
    <message>
        <source>off</source>
        <translation>выкл.</translation>
    </message>
    <message>
        <source>Usually %1.</source>
        <translation>Обычно %1.</translation>
    </message>
    <message>
        <source>“%1” is not known to this machine&apos;s engine.</source>
        <translation>Движок этого компьютера не знает «%1».</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
</context>
<context>
    <name>fw::ui::ModelPicker</name>
    <message>
        <source>%1 billion parameters</source>
        <translation>%1 млрд параметров</translation>
    </message>
    <message>
        <source>%1 million parameters</source>
        <translation>%1 млн параметров</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Модели</translation>
    </message>
    <message>
        <source>Models found on this machine</source>
        <translation>Модели, найденные на этом компьютере</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>Добавить папку…</translation>
    </message>
    <message>
        <source>Look for models in another folder as well</source>
        <translation>Искать модели ещё и в другой папке</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Выбрать</translation>
    </message>
    <message>
        <source>Make clips with this model (Enter)</source>
        <translation>Создавать клипы этой моделью (Enter)</translation>
    </message>
    <message>
        <source>%1 (built in)</source>
        <translation>%1 (встроенная)</translation>
    </message>
    <message>
        <source>%1 (cannot be used)</source>
        <translation>%1 (нельзя использовать)</translation>
    </message>
    <message>
        <source>%1, %2 on disk
Prefers %3 × %4 pixels, %5 frames at %6 per second, %7 steps
%8</source>
        <translation>%1, на диске %2
Рекомендует %3 × %4 пикс., кадров: %5, %6 кадр/с, шагов: %7
%8</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>Поиск моделей…</translation>
    </message>
    <message>
        <source>Folder with models</source>
        <translation>Папка с моделями</translation>
    </message>
</context>
<context>
    <name>fw::ui::Modules</name>
    <message>
        <source>Text encoder</source>
        <translation>Кодировщик текста</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Вложения</translation>
    </message>
    <message>
        <source>Self-attention, projections</source>
        <translation>Самовнимание, проекции</translation>
    </message>
    <message>
        <source>Self-attention, core</source>
        <translation>Самовнимание, ядро</translation>
    </message>
    <message>
        <source>Cross-attention</source>
        <translation>Перекрёстное внимание</translation>
    </message>
    <message>
        <source>Feed-forward</source>
        <translation>Прямой слой</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Выход</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>Управление</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>Сэмплер</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Предпросмотр</translation>
    </message>
    <message>
        <source>Decoder</source>
        <translation>Декодер</translation>
    </message>
    <message>
        <source>Encoder</source>
        <translation>Кодировщик</translation>
    </message>
    <message>
        <source>Blocks, from the cache</source>
        <translation>Блоки, из кэша</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>Зонды</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>зерно %1</translation>
    </message>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n шаг</numerusform>
            <numerusform>%n шага</numerusform>
            <numerusform>%n шагов</numerusform>
        </translation>
    </message>
    <message>
        <source>This run went on from step %1 of an earlier one: its trace, and what probes saw, begins there.</source>
        <translation>Этот прогон продолжает более ранний с шага %1: его протокол и то, что увидели зонды, начинаются там.</translation>
    </message>
</context>
<context>
    <name>fw::ui::NoticeBar</name>
    <message>
        <source>Close this remark</source>
        <translation>Закрыть сообщение</translation>
    </message>
</context>
<context>
    <name>fw::ui::Pair</name>
    <message>
        <source>nothing of this view</source>
        <translation>для этого вида ничего нет</translation>
    </message>
</context>
<context>
    <name>fw::ui::PresetMenu</name>
    <message>
        <source>Presets</source>
        <translation>Пресеты</translation>
    </message>
    <message>
        <source>Keep these settings under a name, use kept ones, or pass them on</source>
        <translation>Сохранить настройки под именем, взять сохранённые или передать другим</translation>
    </message>
    <message>
        <source>The preset “%1” cannot be read; delete it and save it anew.</source>
        <translation>Пресет «%1» не читается; удалите его и сохраните заново.</translation>
    </message>
    <message>
        <source>A preset needs a name of 1 to %1 characters.</source>
        <translation>Имя пресета — от 1 до %1 символов.</translation>
    </message>
    <message>
        <source>There is a preset “%1” already; choose another name.</source>
        <translation>Пресет «%1» уже есть; выберите другое имя.</translation>
    </message>
    <message>
        <source>Deleted the preset “%1”; the menu of presets can bring it back.</source>
        <translation>Пресет «%1» удалён; вернуть его можно в меню пресетов.</translation>
    </message>
    <message>
        <source>Kept as the preset “%1”.</source>
        <translation>Сохранено как пресет «%1».</translation>
    </message>
    <message>
        <source>No presets yet</source>
        <translation>Пресетов пока нет</translation>
    </message>
    <message>
        <source>Save these settings…</source>
        <translation>Сохранить эти настройки…</translation>
    </message>
    <message>
        <source>Manage</source>
        <translation>Управление</translation>
    </message>
    <message>
        <source>Bring back “%1”</source>
        <translation>Вернуть «%1»</translation>
    </message>
    <message>
        <source>Open a file…</source>
        <translation>Открыть файл…</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>Вставить</translation>
    </message>
    <message>
        <source>Use a preset that somebody sent as text</source>
        <translation>Взять пресет, присланный текстом</translation>
    </message>
    <message>
        <source>Copy these settings</source>
        <translation>Копировать эти настройки</translation>
    </message>
    <message>
        <source>As text, to send to somebody</source>
        <translation>Как текст, чтобы кому-то отправить</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Настройки</translation>
    </message>
    <message>
        <source>The settings were copied as text.</source>
        <translation>Настройки скопированы как текст.</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Переименовать…</translation>
    </message>
    <message>
        <source>Save to a file…</source>
        <translation>Сохранить в файл…</translation>
    </message>
    <message>
        <source>Copy as text</source>
        <translation>Копировать как текст</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Save preset</source>
        <translation>Сохранить пресет</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Имя</translation>
    </message>
    <message>
        <source>Replace the preset “%1”?</source>
        <translation>Заменить пресет «%1»?</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Заменить</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Оставить</translation>
    </message>
    <message>
        <source>Rename preset</source>
        <translation>Переименовать пресет</translation>
    </message>
    <message>
        <source>Presets (*.json)</source>
        <translation>Пресеты (*.json)</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2</source>
        <translation>Не удаётся записать %1: %2</translation>
    </message>
    <message>
        <source>Open preset</source>
        <translation>Открыть пресет</translation>
    </message>
    <message>
        <source>Presets (*.json);;All files (*)</source>
        <translation>Пресеты (*.json);;Все файлы (*)</translation>
    </message>
    <message>
        <source>%1 cannot be read: %2</source>
        <translation>Не удаётся прочитать %1: %2</translation>
    </message>
    <message>
        <source>Presets cannot be kept: no library is open.</source>
        <translation>Пресеты не сохранить: библиотека не открыта.</translation>
    </message>
</context>
<context>
    <name>fw::ui::ProgressRow</name>
    <message>
        <source>Loading the model</source>
        <translation>Загрузка модели</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>Чтение промпта</translation>
    </message>
    <message>
        <source>Forming the clip</source>
        <translation>Создание клипа</translation>
    </message>
    <message>
        <source>Painting the frames</source>
        <translation>Отрисовка кадров</translation>
    </message>
    <message>
        <source>Writing the file</source>
        <translation>Запись файла</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Ход работы</translation>
    </message>
    <message>
        <source>Show now</source>
        <translation>Показать</translation>
    </message>
    <message>
        <source>Stop and keep</source>
        <translation>Стоп и сохранить</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Отмена</translation>
    </message>
    <message>
        <source>Stop now and keep nothing (Esc)</source>
        <translation>Остановить сейчас и ничего не сохранять (Esc)</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Запуск</translation>
    </message>
    <message>
        <source>The exact picture comes after the step that is being computed</source>
        <translation>Точная картинка появится после текущего шага</translation>
    </message>
    <message>
        <source>Decode the clip as it is after this step; it goes on forming afterwards (E)</source>
        <translation>Декодировать клип после этого шага и продолжить создание (E)</translation>
    </message>
    <message>
        <source>There is something to decode while the clip forms</source>
        <translation>Декодировать можно, пока клип создаётся</translation>
    </message>
    <message>
        <source>Stop forming the clip and save what there is now</source>
        <translation>Остановить создание и сохранить то, что уже есть</translation>
    </message>
    <message>
        <source>There is something to keep after the first step</source>
        <translation>Сохранять будет что после первого шага</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>шаг %1 из %2</translation>
    </message>
    <message>
        <source>%1 so far</source>
        <translation>прошло %1</translation>
    </message>
    <message>
        <source>almost done</source>
        <translation>почти готово</translation>
    </message>
    <message>
        <source>about %1 left</source>
        <translation>ещё около %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::PromptHistory</name>
    <message>
        <source>Search prompts</source>
        <translation>Поиск промптов</translation>
    </message>
    <message>
        <source>Shows the prompts that contain these words</source>
        <translation>Показывает промпты с этими словами</translation>
    </message>
    <message>
        <source>Prompts used before</source>
        <translation>Прежние промпты</translation>
    </message>
    <message>
        <source>Enter or a click puts the prompt into the form</source>
        <translation>Enter или щелчок переносит промпт в форму</translation>
    </message>
    <message>
        <source>%1
Last used on %2</source>
        <translation>%1
Последний раз: %2</translation>
    </message>
    <message>
        <source>Without: %1</source>
        <translation>Негативный: %1</translation>
    </message>
    <message>
        <source>Prompts appear here once clips were made of them.</source>
        <translation>Здесь появятся промпты, по которым создавались клипы.</translation>
    </message>
    <message>
        <source>No prompt contains these words.</source>
        <translation>Нет промптов с этими словами.</translation>
    </message>
</context>
<context>
    <name>fw::ui::PromptPanel</name>
    <message>
        <source>Model</source>
        <translation>Модель</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Отбросить</translation>
    </message>
    <message>
        <source>Leave the waiting job as it is</source>
        <translation>Оставить ожидающее задание как есть</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Сохранить</translation>
    </message>
    <message>
        <source>Change the waiting job to what the form says</source>
        <translation>Изменить ожидающее задание по форме</translation>
    </message>
    <message>
        <source>Prompts used before</source>
        <translation>Прежние промпты</translation>
    </message>
    <message>
        <source>Prompts used before (Ctrl+Up and Ctrl+Down step through them)</source>
        <translation>Прежние промпты (Ctrl+↑ и Ctrl+↓ листают их)</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Промпт</translation>
    </message>
    <message>
        <source>What the clip shows: who does what, and where</source>
        <translation>Что в клипе: кто что делает и где</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>Негативный промпт</translation>
    </message>
    <message>
        <source>Say what the clip should stay away from. Works only with guidance above 1.</source>
        <translation>Чего в клипе быть не должно. Действует только при CFG больше 1.</translation>
    </message>
    <message>
        <source>What the clip should stay away from</source>
        <translation>Чего в клипе быть не должно</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Внимание</translation>
    </message>
    <message>
        <source>How the model looks at its own picture. Dense looks at everything; others leave out what matters little and are quicker.</source>
        <translation>Как модель смотрит на свою картинку. Плотное внимание видит всё; другие методы пропускают малозначимое и работают быстрее.</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>Кэш шагов</translation>
    </message>
    <message>
        <source>Whether results of one step are used again in the next ones</source>
        <translation>Использовать ли результаты шага в следующих шагах</translation>
    </message>
    <message>
        <source>Forecast</source>
        <translation>Прогноз</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Создать</translation>
    </message>
    <message>
        <source>Editing job %1</source>
        <translation>Правка задания %1</translation>
    </message>
    <message>
        <source>The model is being opened.</source>
        <translation>Модель открывается.</translation>
    </message>
    <message>
        <source>opening…</source>
        <translation>открывается…</translation>
    </message>
    <message>
        <source>%1
%2 million parameters, %3
%4</source>
        <translation>%1
%2 млн параметров, %3
%4</translation>
    </message>
    <message>
        <source>For example: %1</source>
        <translation>Например: %1</translation>
    </message>
    <message>
        <source>There is no model: %1</source>
        <translation>Модели нет: %1</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>нет модели</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>показано</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>скрыто</translation>
    </message>
    <message>
        <source>1 character</source>
        <translation>1 символ</translation>
    </message>
    <message>
        <source>%1 characters</source>
        <translation>Символов: %1</translation>
    </message>
    <message>
        <source>No forecast</source>
        <translation>Нет прогноза</translation>
    </message>
    <message>
        <source>Time, memory and tokens appear here.</source>
        <translation>Здесь появятся время, память и токены.</translation>
    </message>
    <message>
        <source>%1 of memory</source>
        <translation>%1 памяти</translation>
    </message>
    <message>
        <source>About %1, %2</source>
        <translation>Около %1, %2</translation>
    </message>
    <message>
        <source>About %1 for %2 clips, %3</source>
        <translation>Около %1, клипов: %2, %3</translation>
    </message>
    <message>
        <source>%1 tokens, %2</source>
        <translation>Токенов: %1, %2</translation>
    </message>
    <message>
        <source>Each attention looks at %1 tokens: pieces of 2 × 2 latent pixels in space and one latent frame in time. The whole clip takes %2.</source>
        <translation>Каждый слой внимания видит токенов: %1. Токен — это 2 × 2 латентных пикселя в пространстве и один латентный кадр во времени. Весь клип требует %2.</translation>
    </message>
    <message>
        <source>Run %1 clips</source>
        <translation>Создать клипы: %1</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Enter</translation>
    </message>
    <message>
        <source>Make the clip (%1)</source>
        <translation>Создать клип (%1)</translation>
    </message>
    <message>
        <source>%1 runs, Esc cancels.</source>
        <translation>%1 — создать, Esc — отменить.</translation>
    </message>
    <message>
        <source>Save or discard the job you are editing first.</source>
        <translation>Сначала сохраните или отбросьте правку задания.</translation>
    </message>
    <message>
        <source>Write a prompt first.</source>
        <translation>Сначала напишите промпт.</translation>
    </message>
    <message>
        <source>The seed must be a whole number from 0 to 18446744073709551615.</source>
        <translation>Сид должен быть целым числом от 0 до 18446744073709551615.</translation>
    </message>
    <message>
        <source>The prompt before</source>
        <translation>Предыдущий промпт</translation>
    </message>
    <message>
        <source>The prompt after</source>
        <translation>Следующий промпт</translation>
    </message>
    <message>
        <source>With %1</source>
        <translation>Вместе с %1</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>Убрать</translation>
    </message>
    <message>
        <source>Use the model without these adapter weights</source>
        <translation>Использовать модель без этих весов адаптера</translation>
    </message>
    <message>
        <source>LoRA is computed beside the model instead of being merged into it</source>
        <translation>LoRA вычисляется рядом с моделью, а не вливается в неё</translation>
    </message>
</context>
<context>
    <name>fw::ui::Query</name>
    <message>
        <source>Patches and words</source>
        <translation>Участки и слова</translation>
    </message>
    <message>
        <source>attention of single patches or words</source>
        <translation>внимание отдельных участков или слов</translation>
    </message>
    <message>
        <source>where a patch attends</source>
        <translation>куда смотрит участок</translation>
    </message>
    <message>
        <source>word: %1</source>
        <translation>слово: %1</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Показать</translation>
    </message>
    <message>
        <source>The attention of one patch to all others, or of all patches to a word</source>
        <translation>Внимание одного участка ко всем другим или всех участков к слову</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>Головы</translation>
    </message>
    <message>
        <source>One head, or the mean of those that were kept</source>
        <translation>Одна голова или среднее по сохранённым</translation>
    </message>
    <message>
        <source>the chosen one</source>
        <translation>выбранная</translation>
    </message>
    <message>
        <source>mean of all</source>
        <translation>среднее по всем</translation>
    </message>
    <message>
        <source>attention to words</source>
        <translation>внимание к словам</translation>
    </message>
    <message>
        <source>attention of single patches</source>
        <translation>внимание отдельных участков</translation>
    </message>
    <message>
        <source>attention %1</source>
        <translation>внимание %1</translation>
    </message>
    <message>
        <source>skipped by the method</source>
        <translation>пропущено методом</translation>
    </message>
    <message>
        <source>attention mass, square root</source>
        <translation>масса внимания, корень</translation>
    </message>
    <message>
        <source>kept exactly</source>
        <translation>сохранено точно</translation>
    </message>
    <message>
        <source>step %1, layer %2</source>
        <translation>шаг %1, слой %2</translation>
    </message>
    <message>
        <source>Attention of all patches to the word &apos;%1&apos;, %2, mean of heads.</source>
        <translation>Внимание всех участков к слову «%1», %2, среднее по головам.</translation>
    </message>
    <message>
        <source>The patch at %1 attends most to %2 (%3); %4, %5.</source>
        <translation>Участок (%1) больше всего смотрит на участок (%2): %3; %4, %5.</translation>
    </message>
    <message>
        <source>mean of heads</source>
        <translation>среднее по головам</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>голова %1</translation>
    </message>
    <message>
        <source>From the pooled map: each block&apos;s mass is shared out evenly.</source>
        <translation>По карте блоков: масса каждого блока разделена поровну.</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueueModel</name>
    <message>
        <source>Text</source>
        <translation>Текст</translation>
    </message>
    <message>
        <source>Denoise</source>
        <translation>Денойзинг</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>Декодирование</translation>
    </message>
    <message>
        <source>Encode</source>
        <translation>Запись</translation>
    </message>
    <message>
        <source>%1 × %2</source>
        <translation>%1 × %2</translation>
    </message>
    <message>
        <source>%1 frames</source>
        <translation>кадров: %1</translation>
    </message>
    <message>
        <source>%1 steps</source>
        <translation>шагов: %1</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>сид %1</translation>
    </message>
    <message>
        <source>Settings that cannot be read</source>
        <translation>Настройки не читаются</translation>
    </message>
    <message>
        <source>No prompt</source>
        <translation>Без промпта</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Выполняется</translation>
    </message>
    <message>
        <source>Waiting  ·  %1</source>
        <translation>Ожидают  ·  %1</translation>
    </message>
    <message>
        <source>Failed  ·  %1</source>
        <translation>С ошибкой  ·  %1</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Запуск</translation>
    </message>
    <message>
        <source>Interrupted, goes on after step %1</source>
        <translation>Прервано, продолжится после шага %1</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>Прервано</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Отменено</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>шаг %1 из %2</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>загрузка модели</translation>
    </message>
    <message>
        <source>almost done</source>
        <translation>почти готово</translation>
    </message>
    <message>
        <source>about %1 left</source>
        <translation>ещё около %1</translation>
    </message>
    <message>
        <source>waiting, place %1</source>
        <translation>ожидает, место %1</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>ошибка</translation>
    </message>
    <message>
        <source>done</source>
        <translation>готово</translation>
    </message>
    <message>
        <source>%1 of a batch of %2</source>
        <translation>%1 из %2 в серии</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>около %1</translation>
    </message>
    <message>
        <source>Recently finished  ·  %1</source>
        <translation>Недавно завершено  ·  %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueuePanel</name>
    <message>
        <source>Clear finished jobs</source>
        <translation>Убрать законченные</translation>
    </message>
    <message>
        <source>Take finished and cancelled jobs off this list. Their clips stay in the library.</source>
        <translation>Убрать из списка готовые и отменённые задания. Их клипы остаются в библиотеке.</translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation>Показать клип</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Изменить…</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Попробовать снова</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>Взять его настройки</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Дублировать</translation>
    </message>
    <message>
        <source>Select the whole batch</source>
        <translation>Выделить всю серию</translation>
    </message>
    <message>
        <source>Run next</source>
        <translation>Выполнить следующим</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>Выше</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>Ниже</translation>
    </message>
    <message>
        <source>Copy the error</source>
        <translation>Копировать ошибку</translation>
    </message>
    <message>
        <source>Stop and keep what there is</source>
        <translation>Остановить и сохранить, что есть</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Отмена</translation>
    </message>
    <message>
        <source>Remove from the queue</source>
        <translation>Убрать из очереди</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>Paused after this one</source>
        <translation>Пауза после текущего</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>На паузе</translation>
    </message>
    <message>
        <source>%1 waiting</source>
        <translation>Ожидают: %1</translation>
    </message>
    <message>
        <source>The last one is running</source>
        <translation>Выполняется последнее</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>около %1</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Продолжить</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Пауза</translation>
    </message>
    <message>
        <source>Resume the queue</source>
        <translation>Возобновить очередь</translation>
    </message>
    <message>
        <source>Pause the queue</source>
        <translation>Приостановить очередь</translation>
    </message>
    <message>
        <source>Go on with the jobs that wait</source>
        <translation>Продолжить с ожидающими заданиями</translation>
    </message>
    <message>
        <source>Start no further job. The one that is running is finished.</source>
        <translation>Не начинать новых заданий. Текущее будет закончено.</translation>
    </message>
    <message>
        <source>The settings of this job cannot be read.</source>
        <translation>Настройки этого задания не читаются.</translation>
    </message>
    <message>
        <source>One job removed.</source>
        <translation>Одно задание убрано.</translation>
    </message>
    <message>
        <source>%1 jobs removed.</source>
        <translation>Убрано заданий: %1.</translation>
    </message>
    <message>
        <source>One job cancelled.</source>
        <translation>Одно задание отменено.</translation>
    </message>
    <message>
        <source>%1 jobs cancelled.</source>
        <translation>Отменено заданий: %1.</translation>
    </message>
    <message>
        <source>Nothing is queued</source>
        <translation>Очередь пуста</translation>
    </message>
    <message>
        <source>Write a prompt and press Ctrl+Enter, as often as you like: every clip you ask for waits here until it is made.</source>
        <translation>Напишите промпт и нажмите Ctrl+Enter, сколько угодно раз: каждый клип ждёт здесь, пока не будет создан.</translation>
    </message>
    <message>
        <source>Nothing waiting</source>
        <translation>Ничего не ожидает</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueueView</name>
    <message>
        <source>Queue</source>
        <translation>Очередь</translation>
    </message>
    <message>
        <source>Enter edits or shows a job, Alt with the up and down keys moves it, Delete removes it.</source>
        <translation>Enter изменяет или показывает задание, Alt со стрелками вверх и вниз перемещает его, Delete убирает.</translation>
    </message>
    <message>
        <source>Fold or unfold what is done</source>
        <translation>Свернуть или развернуть завершённые</translation>
    </message>
</context>
<context>
    <name>fw::ui::Removals</name>
    <message>
        <source>remove jobs from the queue</source>
        <translation>удаление заданий из очереди</translation>
    </message>
</context>
<context>
    <name>fw::ui::SavedSearchMenu</name>
    <message>
        <source>Saved searches</source>
        <translation>Сохранённые поиски</translation>
    </message>
    <message>
        <source>Keep this search under a name, or use a kept one</source>
        <translation>Сохранить этот поиск под именем или выбрать сохранённый</translation>
    </message>
    <message>
        <source>Deleted the search “%1”; the menu of saved searches can bring it back.</source>
        <translation>Поиск «%1» удалён; его можно вернуть в меню сохранённых поисков.</translation>
    </message>
    <message>
        <source>No saved searches yet</source>
        <translation>Сохранённых поисков пока нет</translation>
    </message>
    <message>
        <source>Save this search…</source>
        <translation>Сохранить этот поиск…</translation>
    </message>
    <message>
        <source>With its project and its order</source>
        <translation>Вместе с проектом и порядком</translation>
    </message>
    <message>
        <source>Manage</source>
        <translation>Управление</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Переименовать…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Bring back “%1”</source>
        <translation>Вернуть «%1»</translation>
    </message>
    <message>
        <source>Save search</source>
        <translation>Сохранение поиска</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Имя</translation>
    </message>
    <message>
        <source>Replace the search “%1”?</source>
        <translation>Заменить поиск «%1»?</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Заменить</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>Оставить</translation>
    </message>
    <message>
        <source>Rename search</source>
        <translation>Переименование поиска</translation>
    </message>
</context>
<context>
    <name>fw::ui::Scans</name>
    <message>
        <source>rows within a frame (S-row)</source>
        <translation>по строкам кадра (S-row)</translation>
    </message>
    <message>
        <source>columns within a frame (S-col)</source>
        <translation>по столбцам кадра (S-col)</translation>
    </message>
    <message>
        <source>through time, along rows (T-row)</source>
        <translation>сквозь время, вдоль строк (T-row)</translation>
    </message>
    <message>
        <source>through time, along columns (T-col)</source>
        <translation>сквозь время, вдоль столбцов (T-col)</translation>
    </message>
    <message>
        <source>Scan</source>
        <translation>Обход</translation>
    </message>
    <message>
        <source>This trace does not say the grid of its tokens.</source>
        <translation>В этом протоколе не указана сетка токенов.</translation>
    </message>
    <message>
        <source>Layer %1: %2</source>
        <translation>Слой %1: %2</translation>
    </message>
    <message>
        <source>Layers %1, %2, …</source>
        <translation>Слои %1, %2, …</translation>
    </message>
    <message>
        <source>place in the sequence</source>
        <translation>место в последовательности</translation>
    </message>
    <message>
        <source>Neighbours lie %1 apart in time, %2 in height, %3 in width.</source>
        <translation>Соседи отстоят: во времени на %1, по высоте на %2, по ширине на %3.</translation>
    </message>
    <message>
        <source>Frame %1, row %2, column %3
place %4 of %5</source>
        <translation>Кадр %1, строка %2, столбец %3
место %4 из %5</translation>
    </message>
    <message>
        <source>The first %1 × %2 × %3 tokens of %4 × %5 × %6.</source>
        <translation>Первые %1 × %2 × %3 токенов из %4 × %5 × %6.</translation>
    </message>
    <message>
        <source>Layer %1 reads %2 × %3 × %4 tokens %5.</source>
        <translation>Слой %1 читает %2 × %3 × %4 токенов: %5.</translation>
    </message>
    <message>
        <source>No scan was seen in this run: the path is what LinGen would take through its tokens.</source>
        <translation>В этом запуске скана не видно: показан путь, которым LinGen прошёл бы по его токенам.</translation>
    </message>
</context>
<context>
    <name>fw::ui::ScrubBar</name>
    <message>
        <source>plays from %1 to %2</source>
        <translation>воспроизводится с %1 по %2</translation>
    </message>
</context>
<context>
    <name>fw::ui::SeedField</name>
    <message>
        <source>Seed</source>
        <translation>Сид</translation>
    </message>
    <message>
        <source>Which noise the clip grows from. The same seed and settings give the same clip again.</source>
        <translation>Из какого шума вырастает клип. С тем же сидом и настройками получится тот же клип.</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>Новый сид</translation>
    </message>
    <message>
        <source>Draw another seed</source>
        <translation>Выбрать другой сид</translation>
    </message>
    <message>
        <source>Keep the seed</source>
        <translation>Закрепить сид</translation>
    </message>
    <message>
        <source>The seed is kept. Click to draw a new one for every clip.</source>
        <translation>Сид закреплён. Щёлкните, чтобы для каждого клипа выбирался новый.</translation>
    </message>
    <message>
        <source>A new seed is drawn for every clip. Click to keep this one.</source>
        <translation>Для каждого клипа выбирается новый сид. Щёлкните, чтобы закрепить этот.</translation>
    </message>
</context>
<context>
    <name>fw::ui::Settings</name>
    <message>
        <source>Prompt</source>
        <translation>Промпт</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>Негативный промпт</translation>
    </message>
    <message>
        <source>Model folder</source>
        <translation>Папка модели</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Внимание</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>Кэш шагов</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>Ширина</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>Высота</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Кадры</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>Кадров в секунду</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Шаги</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>Сила CFG</translation>
    </message>
    <message>
        <source>Shift</source>
        <translation>Сдвиг (shift)</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>Сэмплер</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Сид</translation>
    </message>
    <message>
        <source>Asked for device</source>
        <translation>Запрошено устройство</translation>
    </message>
    <message>
        <source>Asked for precision</source>
        <translation>Запрошена точность</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Потоки</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Модель</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Веса</translation>
    </message>
    <message>
        <source>Ran on</source>
        <translation>Выполнено на</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Точность</translation>
    </message>
    <message>
        <source>Program version</source>
        <translation>Версия программы</translation>
    </message>
    <message>
        <source>Time taken</source>
        <translation>Затрачено времени</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Файл</translation>
    </message>
    <message>
        <source>Size on disk</source>
        <translation>Размер файла</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Проект</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Создан</translation>
    </message>
    <message>
        <source>Weights hash</source>
        <translation>Хеш весов</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Устройство</translation>
    </message>
    <message>
        <source>loading</source>
        <translation>загрузка</translation>
    </message>
    <message>
        <source>text</source>
        <translation>текст</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>шаги</translation>
    </message>
    <message>
        <source>decoding</source>
        <translation>декодирование</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>запись</translation>
    </message>
    <message>
        <source>Peak memory</source>
        <translation>Пик памяти</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>Трассировка</translation>
    </message>
    <message>
        <source>Not written</source>
        <translation>Не записано</translation>
    </message>
    <message>
        <source>SHA-256</source>
        <translation>SHA-256</translation>
    </message>
</context>
<context>
    <name>fw::ui::SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>Настройки</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Как в системе</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Светлое</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Тёмное</translation>
    </message>
    <message>
        <source>Light or dark windows</source>
        <translation>Светлые или тёмные окна</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Оформление</translation>
    </message>
    <message>
        <source>Tell me when a clip is done and I am elsewhere</source>
        <translation>Сообщать о готовом клипе, когда я занят другим</translation>
    </message>
    <message>
        <source>A notification of the desktop, only while another window is active</source>
        <translation>Уведомление рабочего стола, только когда активно другое окно</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Открыть</translation>
    </message>
    <message>
        <source>Show the library&apos;s folder. Another one: framewright --library FOLDER</source>
        <translation>Показать папку библиотеки. Другая папка: framewright --library FOLDER</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Библиотека</translation>
    </message>
    <message>
        <source>The language of all texts, from the next start on</source>
        <translation>Язык всех текстов, начиная со следующего запуска</translation>
    </message>
    <message>
        <source>The language changes when Framewright is started again.</source>
        <translation>Язык сменится после перезапуска Framewright.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Язык</translation>
    </message>
    <message>
        <source>Steps from one preview to the next</source>
        <translation>Шагов от предпросмотра до предпросмотра</translation>
    </message>
    <message>
        <source>How often the clip in the making is shown: after every so many steps, from the next clip on</source>
        <translation>Как часто показывать создаваемый клип: через столько шагов, начиная со следующего клипа</translation>
    </message>
    <message>
        <source>every </source>
        <comment>so many steps</comment>
        <translation>раз в </translation>
    </message>
    <message>
        <source>Time for previews, percent</source>
        <translation>Время на предпросмотр, проценты</translation>
    </message>
    <message>
        <source>Previews are left out while they would take more of the time than this</source>
        <translation>Предпросмотр пропускается, если занял бы больше времени</translation>
    </message>
    <message>
        <source>at most </source>
        <comment>so much of the time</comment>
        <translation>не более </translation>
    </message>
    <message>
        <source> % of the time</source>
        <translation> % времени</translation>
    </message>
    <message>
        <source>Previews</source>
        <translation>Предпросмотр</translation>
    </message>
    <message>
        <source>Folders with models</source>
        <translation>Папки с моделями</translation>
    </message>
    <message>
        <source>Where models are looked for, beside the one that is built in</source>
        <translation>Где искать модели, кроме встроенной</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Добавить…</translation>
    </message>
    <message>
        <source>Look for models in another folder as well</source>
        <translation>Искать модели ещё и в другой папке</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Удалить</translation>
    </message>
    <message>
        <source>Look no longer in this folder. Nothing in it is deleted.</source>
        <translation>Больше не искать в этой папке. В ней ничего не удаляется.</translation>
    </message>
    <message>
        <source>Folder with models</source>
        <translation>Папка с моделями</translation>
    </message>
    <message>
        <source>Model folders</source>
        <translation>Папки моделей</translation>
    </message>
    <message>
        <source> step</source>
        <comment>every 1</comment>
        <translation> шаг</translation>
    </message>
    <message>
        <source> steps</source>
        <comment>every 2</comment>
        <translation> шаг(ов)</translation>
    </message>
</context>
<context>
    <name>fw::ui::SettingsForm</name>
    <message>
        <source>square</source>
        <translation>квадрат</translation>
    </message>
    <message>
        <source>wide</source>
        <translation>широкий</translation>
    </message>
    <message>
        <source>tall</source>
        <translation>высокий</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>Клип</translation>
    </message>
    <message>
        <source>Width and height of the clip in pixels. Larger clips take much longer.</source>
        <translation>Ширина и высота клипа в пикселях. Крупные клипы создаются намного дольше.</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Размер</translation>
    </message>
    <message>
        <source>Width in pixels</source>
        <translation>Ширина в пикселях</translation>
    </message>
    <message>
        <source>Height in pixels</source>
        <translation>Высота в пикселях</translation>
    </message>
    <message>
        <source>How many frames the clip has. Longer clips take much longer to make.</source>
        <translation>Сколько кадров в клипе. Длинные клипы создаются намного дольше.</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>Длина</translation>
    </message>
    <message>
        <source>Number of frames</source>
        <translation>Число кадров</translation>
    </message>
    <message>
        <source> per second</source>
        <translation> кадр/с</translation>
    </message>
    <message>
        <source>Frames shown in a second. The model learned its own rate: others play the same movement faster or slower.</source>
        <translation>Сколько кадров показывается в секунду. Модель обучена на своей частоте: с другой то же движение идёт быстрее или медленнее.</translation>
    </message>
    <message>
        <source>Frame rate</source>
        <translation>Частота кадров</translation>
    </message>
    <message>
        <source>Sampling</source>
        <translation>Сэмплинг</translation>
    </message>
    <message>
        <source>How many times the clip is refined. More steps look cleaner and take longer.</source>
        <translation>Сколько раз клип уточняется. Больше шагов — чище картинка и дольше работа.</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Шаги</translation>
    </message>
    <message>
        <source>How closely the clip follows the prompt. 1 switches guidance off and halves the time; high values look harsh.</source>
        <translation>Насколько точно клип следует промпту. Значение 1 отключает CFG и сокращает время вдвое; высокие дают резкую картинку.</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>Сила CFG</translation>
    </message>
    <message>
        <source>How much of the work goes into the whole picture rather than its details. Larger clips want more.</source>
        <translation>Какая доля работы идёт на картинку в целом, а не на детали. Крупным клипам нужно больше.</translation>
    </message>
    <message>
        <source>Shift</source>
        <translation>Сдвиг (shift)</translation>
    </message>
    <message>
        <source>UniPC</source>
        <translation>UniPC</translation>
    </message>
    <message>
        <source>Euler</source>
        <translation>Euler</translation>
    </message>
    <message>
        <source>How one step leads to the next. UniPC needs fewer steps; Euler is the plain reference.</source>
        <translation>Как один шаг ведёт к следующему. UniPC нужно меньше шагов; Euler — простой эталон.</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>Сэмплер</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Сид</translation>
    </message>
    <message>
        <source>%1 × %2, %3</source>
        <translation>%1 × %2, %3</translation>
    </message>
    <message>
        <source>Custom…</source>
        <translation>Другое…</translation>
    </message>
    <message>
        <source>1 frame, a still</source>
        <translation>1 кадр, картинка</translation>
    </message>
    <message>
        <source>%1 frames, %2</source>
        <translation>Кадров: %1, %2</translation>
    </message>
</context>
<context>
    <name>fw::ui::ShortcutSheet</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Сочетания клавиш</translation>
    </message>
    <message>
        <source>%1 panel</source>
        <translation>Панель «%1»</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageCanvas</name>
    <message>
        <source>Clip</source>
        <translation>Клип</translation>
    </message>
    <message>
        <source>Space plays and pauses, the arrow keys step by one frame, plus and minus zoom, zero fits the window.</source>
        <translation>Пробел запускает и останавливает, стрелки листают по кадру, плюс и минус меняют масштаб, ноль вписывает в окно.</translation>
    </message>
    <message>
        <source>The first look comes with the first step.</source>
        <translation>Первая картинка появится с первым шагом.</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageDirector</name>
    <message>
        <source>Finished: %1</source>
        <translation>Готово: %1</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Показать</translation>
    </message>
    <message>
        <source>Not made: %1. %2</source>
        <translation>Не создано: %1. %2</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageWidget</name>
    <message>
        <source>Frame %1 is on the clipboard.</source>
        <translation>Кадр %1 в буфере обмена.</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>предпросмотр</translation>
    </message>
    <message>
        <source>%1 frame %2.png</source>
        <translation>%1 кадр %2.png</translation>
    </message>
    <message>
        <source>Save this frame</source>
        <translation>Сохранить кадр</translation>
    </message>
    <message>
        <source>PNG picture (*.png)</source>
        <translation>Изображение PNG (*.png)</translation>
    </message>
    <message>
        <source>Saved as %1</source>
        <translation>Сохранено как %1</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2</source>
        <translation>Не удаётся записать %1: %2</translation>
    </message>
    <message>
        <source>%1 steps</source>
        <translation>шагов: %1</translation>
    </message>
    <message>
        <source>guidance %1</source>
        <translation>CFG %1</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>сид %1</translation>
    </message>
    <message>
        <source>%1 × %2  ·  %3 frames at %4 per second</source>
        <translation>%1 × %2  ·  кадров: %3, %4 кадр/с</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>Создать снова</translation>
    </message>
    <message>
        <source>Make this clip after all (Ctrl+Enter)</source>
        <translation>Всё-таки создать этот клип (Ctrl+Enter)</translation>
    </message>
    <message>
        <source>Step %1 of %2, decoded exactly</source>
        <translation>Шаг %1 из %2, точное декодирование</translation>
    </message>
    <message>
        <source>Preview of step %1 of %2</source>
        <translation>Предпросмотр шага %1 из %2</translation>
    </message>
    <message>
        <source>Cancelled. Nothing was saved.</source>
        <translation>Отменено. Ничего не сохранено.</translation>
    </message>
    <message>
        <source>Cancelled at %1. Nothing was saved.</source>
        <translation>Отменено: %1. Ничего не сохранено.</translation>
    </message>
    <message>
        <source>made in %1</source>
        <translation>создан за %1</translation>
    </message>
    <message>
        <source>The preview before</source>
        <translation>Предыдущий предпросмотр</translation>
    </message>
    <message>
        <source>The next preview</source>
        <translation>Следующий предпросмотр</translation>
    </message>
    <message>
        <source>An exact preview now</source>
        <translation>Точный предпросмотр сейчас</translation>
    </message>
    <message>
        <source>Copy this frame</source>
        <translation>Копировать кадр</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>Воспроизведение или пауза</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>На кадр назад</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>На кадр вперёд</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>В начало</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>В конец</translation>
    </message>
    <message>
        <source>Play backwards, faster</source>
        <translation>Назад, быстрее</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Пауза</translation>
    </message>
    <message>
        <source>Play forwards, faster</source>
        <translation>Вперёд, быстрее</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>Медленнее</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>Быстрее</translation>
    </message>
    <message>
        <source>The loop begins here</source>
        <translation>Начало повтора здесь</translation>
    </message>
    <message>
        <source>The loop ends here</source>
        <translation>Конец повтора здесь</translation>
    </message>
    <message>
        <source>Loop over the whole clip</source>
        <translation>Повторять весь клип</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Крупнее</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>Мельче</translation>
    </message>
    <message>
        <source>Fit the stage</source>
        <translation>По размеру окна</translation>
    </message>
    <message>
        <source>Actual size</source>
        <translation>Настоящий размер</translation>
    </message>
    <message>
        <source>Player</source>
        <translation>Проигрыватель</translation>
    </message>
</context>
<context>
    <name>fw::ui::StarField</name>
    <message>
        <source>Stars: click, or press 0 to 5</source>
        <translation>Оценка: щелчок или клавиши 0–5</translation>
    </message>
    <message>
        <source>Stars: the clips differ</source>
        <translation>Оценка: у клипов разная</translation>
    </message>
    <message>
        <source>Stars: %1 of 5</source>
        <translation>Оценка: %1 из 5</translation>
    </message>
</context>
<context>
    <name>fw::ui::StepBar</name>
    <message>
        <source>Denoising step</source>
        <translation>Шаг денойзинга</translation>
    </message>
    <message>
        <source>Drag to see how the clip formed, step by step (Alt+Left, Alt+Right). A diamond marks a step that was decoded exactly.</source>
        <translation>Перетащите, чтобы увидеть, как клип формировался шаг за шагом (Alt+←, Alt+→). Ромб отмечает точно декодированный шаг.</translation>
    </message>
    <message>
        <source>Denoising</source>
        <translation>Денойзинг</translation>
    </message>
    <message>
        <source>Show the newest</source>
        <translation>Показать последний</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>шаг %1 из %2</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>готов</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>шаг %1</translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation>Показать клип</translation>
    </message>
    <message>
        <source>Back to the finished clip</source>
        <translation>Вернуться к готовому клипу</translation>
    </message>
    <message>
        <source>Follow the clip as it forms again</source>
        <translation>Снова следить за созданием клипа</translation>
    </message>
</context>
<context>
    <name>fw::ui::TransportBar</name>
    <message>
        <source>Previous frame</source>
        <translation>Предыдущий кадр</translation>
    </message>
    <message>
        <source>One frame back (Left)</source>
        <translation>На кадр назад (←)</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Пауза</translation>
    </message>
    <message>
        <source>Next frame</source>
        <translation>Следующий кадр</translation>
    </message>
    <message>
        <source>One frame on (Right)</source>
        <translation>На кадр вперёд (→)</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Скорость</translation>
    </message>
    <message>
        <source>How fast it plays (&lt; and &gt;). J, K and L play back, pause and on.</source>
        <translation>Скорость воспроизведения (&lt; и &gt;). J, K и L — назад, пауза и вперёд.</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>Повтор</translation>
    </message>
    <message>
        <source>Begin again at the end</source>
        <translation>В конце начинать сначала</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Масштаб</translation>
    </message>
    <message>
        <source>How large the picture is (plus, minus, 0 and 1, or the mouse wheel)</source>
        <translation>Величина картинки (плюс, минус, 0 и 1 или колесо мыши)</translation>
    </message>
    <message>
        <source>Scaling</source>
        <translation>Сглаживание</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Ещё</translation>
    </message>
    <message>
        <source>Frames and the part that is played</source>
        <translation>Кадры и воспроизводимый отрезок</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>Сохранить как…</translation>
    </message>
    <message>
        <source>Save a copy in a format of your choice (Ctrl+S)</source>
        <translation>Сохранить копию в выбранном формате (Ctrl+S)</translation>
    </message>
    <message>
        <source>Fit the window</source>
        <translation>Вписать в окно</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>Copy this frame</source>
        <translation>Копировать кадр</translation>
    </message>
    <message>
        <source>Ctrl+C</source>
        <translation>Ctrl+C</translation>
    </message>
    <message>
        <source>Save this frame as PNG…</source>
        <translation>Сохранить кадр в PNG…</translation>
    </message>
    <message>
        <source>Ctrl+Shift+S</source>
        <translation>Ctrl+Shift+S</translation>
    </message>
    <message>
        <source>Play from here</source>
        <translation>Воспроизводить отсюда</translation>
    </message>
    <message>
        <source>Play up to here</source>
        <translation>Воспроизводить досюда</translation>
    </message>
    <message>
        <source>Play all of it</source>
        <translation>Воспроизводить всё</translation>
    </message>
    <message>
        <source>Scaled smoothly. Click to see the pixels as they are.</source>
        <translation>Масштаб со сглаживанием. Щёлкните, чтобы увидеть сами пиксели.</translation>
    </message>
    <message>
        <source>Pixels as they are. Click to scale smoothly.</source>
        <translation>Пиксели как есть. Щёлкните, чтобы сгладить.</translation>
    </message>
    <message>
        <source>smooth</source>
        <translation>сгладить</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>пиксели</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Сохранение…</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>Воспроизвести</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>Пауза (пробел)</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>Воспроизвести (пробел)</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>Вписать</translation>
    </message>
</context>
<context>
    <name>fw::ui::Views</name>
    <message>
        <source>This run kept no %1.
Make it again with probes (fw generate --probe default): the seed stays, so the clip stays the same.</source>
        <translation>В этом запуске не сохранены: %1.
Сделайте клип снова с зондами (fw generate --probe default): зерно останется, и клип будет тем же.</translation>
    </message>
</context>
<context>
    <name>fw::ui::WhatIfBar</name>
    <message>
        <source>Paint</source>
        <translation>Рисовать</translation>
    </message>
    <message>
        <source>Draw on the mask of the chosen head: what if it computed these tiles?</source>
        <translation>Рисовать на маске выбранной головы: что если бы она вычисляла эти плитки?</translation>
    </message>
    <message>
        <source>Compute this step</source>
        <translation>Вычислить этот шаг</translation>
    </message>
    <message>
        <source>What if the step cache stood aside at the chosen step, and everything were computed?</source>
        <translation>Что если бы кэш шагов на выбранном шаге не вмешивался и всё вычислялось?</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Отменить</translation>
    </message>
    <message>
        <source>Takes back the last change made by hand</source>
        <translation>Отменяет последнее изменение, сделанное вручную</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Отбросить</translation>
    </message>
    <message>
        <source>Forgets all changes made by hand</source>
        <translation>Забывает все изменения, сделанные вручную</translation>
    </message>
    <message>
        <source>Adds the clip to the queue again, with the same seed and these changes; when it is made, both are shown side by side</source>
        <translation>Снова ставит клип в очередь, с тем же зерном и этими изменениями; когда он готов, оба показаны рядом</translation>
    </message>
    <message>
        <source>Make it again from step %1</source>
        <translation>Создать заново с шага %1</translation>
    </message>
    <message>
        <source>Make it again so</source>
        <translation>Создать так заново</translation>
    </message>
    <message numerus="yes">
        <source>%n heads painted</source>
        <translation>
            <numerusform>Нарисована %n голова</numerusform>
            <numerusform>Нарисованы %n головы</numerusform>
            <numerusform>Нарисовано %n голов</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n steps to compute</source>
        <translation>
            <numerusform>%n шаг к вычислению</numerusform>
            <numerusform>%n шага к вычислению</numerusform>
            <numerusform>%n шагов к вычислению</numerusform>
        </translation>
    </message>
    <message>
        <source>What if this were different from the chosen step on?</source>
        <translation>Что, если бы это было иначе начиная с выбранного шага?</translation>
    </message>
    <message numerus="yes">
        <source>%n settings changed</source>
        <translation>
            <numerusform>Изменена %n настройка</numerusform>
            <numerusform>Изменены %n настройки</numerusform>
            <numerusform>Изменено %n настроек</numerusform>
        </translation>
    </message>
    <message>
        <source>can be changed once the clip is made</source>
        <translation>можно изменить, когда клип будет готов</translation>
    </message>
</context>
</TS>
