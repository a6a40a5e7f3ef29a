<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>fw::app::JobQueue</name>
    <message>
        <source>This happened twice with this job.</source>
        <translation>这个任务已经两次出现这种情况。</translation>
    </message>
    <message>
        <source>%1 Nothing is lost: this is tried again every few seconds.</source>
        <translation>%1 没有任何内容丢失，每隔几秒会自动重试。</translation>
    </message>
    <message>
        <source>The engine failed %1 times in a row; the queue is paused.</source>
        <translation>引擎连续失败了 %1 次，队列已暂停。</translation>
    </message>
</context>
<context>
    <name>fw::app::WorkerClient</name>
    <message>
        <source>The engine did not start within %1 s.</source>
        <translation>引擎未能在 %1 秒内启动。</translation>
    </message>
    <message>
        <source>The engine program %1 cannot be started: %2</source>
        <translation>无法启动引擎程序 %1：%2</translation>
    </message>
    <message>
        <source>The engine cannot be reached: %1</source>
        <translation>无法连接引擎：%1</translation>
    </message>
    <message>
        <source>The engine sent something that is not understood (%1).</source>
        <translation>引擎发来了无法理解的内容（%1）。</translation>
    </message>
    <message>
        <source>The engine is of another version (%1) than the studio: install both from the same package.</source>
        <translation>引擎版本（%1）与工作室不一致，请安装同一软件包中的两者。</translation>
    </message>
    <message>
        <source>The engine did not introduce itself.</source>
        <translation>引擎没有完成握手。</translation>
    </message>
    <message>
        <source>The engine stopped answering.</source>
        <translation>引擎停止响应。</translation>
    </message>
    <message>
        <source>The engine made no progress for %1 s.</source>
        <translation>引擎已有 %1 秒没有进展。</translation>
    </message>
    <message>
        <source>The engine ended unexpectedly (signal %1).</source>
        <translation>引擎意外终止（信号 %1）。</translation>
    </message>
    <message>
        <source>The engine ended by itself (exit code %1).</source>
        <translation>引擎自行退出（退出码 %1）。</translation>
    </message>
</context>
<context>
    <name>fw::ui::AboutDialog</name>
    <message>
        <source>About Framewright</source>
        <translation>关于 Framewright</translation>
    </message>
    <message>
        <source>Framewright %1</source>
        <translation>Framewright %1</translation>
    </message>
    <message>
        <source>Makes video from text with diffusion transformers, on this machine alone: no network access at all.</source>
        <translation>用扩散变换器把文字变成视频，只在本机上运行：完全不访问网络。</translation>
    </message>
    <message>
        <source>Licence of</source>
        <translation>许可证所属</translation>
    </message>
    <message>
        <source>Framewright and the libraries it uses</source>
        <translation>Framewright 及其使用的库</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>library: licence</comment>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>许可证</translation>
    </message>
    <message>
        <source>The terms under which it can be used and passed on</source>
        <translation>使用和转发的条款</translation>
    </message>
    <message>
        <source>Given to everybody to use as they like, without conditions.</source>
        <translation>供所有人随意使用，没有任何条件。</translation>
    </message>
</context>
<context>
    <name>fw::ui::BatchForm</name>
    <message>
        <source>Several clips</source>
        <translation>批量生成</translation>
    </message>
    <message>
        <source>Make several clips at once: other seeds, a list of prompts, or alternatives in braces</source>
        <translation>一次生成多个视频：更换种子、使用提示词列表，或用花括号写出多个选项</translation>
    </message>
    <message>
        <source>How many clips of each prompt, with one seed after another</source>
        <translation>每条提示词生成几个视频，种子依次递增</translation>
    </message>
    <message>
        <source>Seeds</source>
        <translation>种子数</translation>
    </message>
    <message>
        <source>Each line is a prompt of its own</source>
        <translation>每行是一条独立的提示词</translation>
    </message>
    <message>
        <source>Write or paste a list of prompts, one on each line</source>
        <translation>写入或粘贴提示词列表，每行一条</translation>
    </message>
    <message>
        <source>All alternatives in {a|b}</source>
        <translation>展开 {a|b} 中的所有选项</translation>
    </message>
    <message>
        <source>Write {red|blue} fox to try both colours. Checked: a clip for every combination. Unchecked: each clip&apos;s seed picks one.</source>
        <translation>写成 {red|blue} fox 即可试两种颜色。勾选：每种组合各生成一个视频。不勾选：由每个视频的种子选定其一。</translation>
    </message>
    <message>
        <source>Clips that will be made</source>
        <translation>将要生成的视频</translation>
    </message>
    <message>
        <source>These would be %1 clips; at most %2 can be queued at once.</source>
        <translation>这将产生 %1 个视频，一次最多只能排入 %2 个。</translation>
    </message>
    <message>
        <source>billions of</source>
        <translation>数十亿</translation>
    </message>
    <message>
        <source>1 clip:</source>
        <translation>1 个视频：</translation>
    </message>
    <message>
        <source>%1 clips:</source>
        <translation>%1 个视频：</translation>
    </message>
    <message>
        <source>%1  ·  seed %2</source>
        <translation>%1  ·  种子 %2</translation>
    </message>
</context>
<context>
    <name>fw::ui::Caches</name>
    <message>
        <source>Self-attention</source>
        <translation>自注意力</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>已计算</translation>
    </message>
    <message>
        <source>reused</source>
        <translation>重复使用</translation>
    </message>
    <message>
        <source>predicted</source>
        <translation>预测</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>步骤缓存</translation>
    </message>
    <message>
        <source>This trace holds no calls of modules.</source>
        <translation>此记录中没有模块调用。</translation>
    </message>
    <message>
        <source>How much each module&apos;s output changes from step to step is not in this trace; the probe &apos;change&apos; measures it.</source>
        <translation>此记录没有保存各模块的输出逐步变化了多少；探针“change”会测量它。</translation>
    </message>
    <message>
        <source>Step %1: %2</source>
        <translation>第 %1 步：%2</translation>
    </message>
    <message>
        <source>Step %1, layer %2: %3</source>
        <translation>第 %1 步，第 %2 层：%3</translation>
    </message>
    <message>
        <source>%1, %2 ms</source>
        <translation>%1，%2 毫秒</translation>
    </message>
    <message>
        <source>not called</source>
        <translation>未调用</translation>
    </message>
    <message>
        <source>step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>predictor of the cache against its threshold</source>
        <translation>缓存的预测值与阈值</translation>
    </message>
    <message>
        <source>change since the step before (mean square, relative), mean of layers</source>
        <translation>与上一步相比的变化（相对均方），各层平均</translation>
    </message>
    <message>
        <source>Step %1: %2
%3</source>
        <translation>第 %1 步：%2
%3</translation>
    </message>
    <message>
        <source>predictor</source>
        <translation>预测值</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>阈值</translation>
    </message>
    <message>
        <source>Every module was computed in every step.</source>
        <translation>每一步都计算了所有模块。</translation>
    </message>
    <message>
        <source>%1 of %2 calls of modules were answered by the cache &apos;%3&apos; (%4 %).</source>
        <translation>%2 次模块调用中有 %1 次由缓存“%3”应答（%4 %）。</translation>
    </message>
    <message>
        <source>Below</source>
        <translation>下方</translation>
    </message>
    <message>
        <source>What the cache was wrong by, or how much outputs change from step to step</source>
        <translation>缓存偏差多少,或输出在步与步之间变化多少</translation>
    </message>
    <message>
        <source>measured error</source>
        <translation>测得的误差</translation>
    </message>
    <message>
        <source>change</source>
        <translation>变化</translation>
    </message>
    <message>
        <source>error %1 of the mean square</source>
        <translation>误差:均方值的 %1</translation>
    </message>
    <message>
        <source>measured error of what stood in (mean square, relative), mean of layers</source>
        <translation>替代值的测得误差(均方,相对),各层均值</translation>
    </message>
    <message>
        <source>Their measured error is %1 of the mean square, in the mean.</source>
        <translation>其测得误差平均为均方值的 %1。</translation>
    </message>
</context>
<context>
    <name>fw::ui::ClipDelegate</name>
    <message>
        <source>File missing</source>
        <translation>文件缺失</translation>
    </message>
    <message>
        <source>No picture</source>
        <translation>无图像</translation>
    </message>
</context>
<context>
    <name>fw::ui::ClipDetails</name>
    <message>
        <source>Details of the selected clips</source>
        <translation>所选视频的详细信息</translation>
    </message>
    <message>
        <source>Select a clip to see what made it.</source>
        <translation>选择一个视频，查看它是如何生成的。</translation>
    </message>
    <message>
        <source>Prompt of the clip</source>
        <translation>视频的提示词</translation>
    </message>
    <message>
        <source>Add a tag</source>
        <translation>添加标签</translation>
    </message>
    <message>
        <source>Write a tag and press Enter</source>
        <translation>输入标签并按 Enter</translation>
    </message>
    <message>
        <source>Notes</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Saved while you write; the search finds them</source>
        <translation>边写边保存，可被搜索到</translation>
    </message>
    <message>
        <source>Load settings</source>
        <translation>载入参数</translation>
    </message>
    <message>
        <source>Puts this clip&apos;s settings into the prompt panel</source>
        <translation>把此视频的参数填入提示词面板</translation>
    </message>
    <message>
        <source>Vary seed</source>
        <translation>换种子</translation>
    </message>
    <message>
        <source>Puts the settings into the prompt panel with a new seed</source>
        <translation>把参数填入提示词面板，并换用新种子</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Saves the clips in another format or size</source>
        <translation>以其他格式或尺寸保存视频</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>Opens the folder the file is in</source>
        <translation>打开文件所在的文件夹</translation>
    </message>
    <message>
        <source>Copy settings</source>
        <translation>复制参数</translation>
    </message>
    <message>
        <source>Copies the settings as text</source>
        <translation>以文本形式复制参数</translation>
    </message>
    <message>
        <source>The file is missing. Put it back to play the clip; its settings can still be used.</source>
        <translation>文件缺失。把它放回原处即可播放，参数仍可使用。</translation>
    </message>
    <message numerus="yes">
        <source>%n clips selected</source>
        <translation>
            <numerusform>已选择 %n 个视频</numerusform>
        </translation>
    </message>
    <message>
        <source>One file is missing.</source>
        <translation>缺失 1 个文件。</translation>
    </message>
    <message numerus="yes">
        <source>%n files are missing.</source>
        <translation>
            <numerusform>缺失 %n 个文件。</numerusform>
        </translation>
    </message>
    <message>
        <source>Remove the tag %1</source>
        <translation>移除标签 %1</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>Origin</source>
        <translation>来源</translation>
    </message>
    <message>
        <source>What differs between the first %1</source>
        <translation>前 %1 个的差异</translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>差异</translation>
    </message>
    <message>
        <source>Nothing: all settings are the same.</source>
        <translation>没有差异，所有参数都相同。</translation>
    </message>
</context>
<context>
    <name>fw::ui::Cost</name>
    <message numerus="yes">
        <source>%1
%2 ms, %n call(s)</source>
        <translation>
            <numerusform>%1
%2 毫秒，%n 次调用</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 GFLOP/s, %2 FLOP per byte</source>
        <translation>%1 GFLOP/s，每字节 %2 FLOP</translation>
    </message>
    <message numerus="yes">
        <source>%n call(s) answered by the cache</source>
        <translation>
            <numerusform>%n 次调用由缓存应答</numerusform>
        </translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>开销</translation>
    </message>
    <message>
        <source>This trace holds no calls of modules.</source>
        <translation>此记录中没有模块调用。</translation>
    </message>
    <message>
        <source>step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>time of a step, ms</source>
        <translation>每步时间，毫秒</translation>
    </message>
    <message>
        <source>Step %1: %2</source>
        <translation>第 %1 步：%2</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>其余</translation>
    </message>
    <message>
        <source>module</source>
        <translation>模块</translation>
    </message>
    <message>
        <source>time, s</source>
        <translation>时间，秒</translation>
    </message>
    <message>
        <source>share</source>
        <translation>占比</translation>
    </message>
    <message>
        <source>Plan: %1, counted: %2 (%3 %)</source>
        <translation>计划：%1，实际计数：%2（%3 %）</translation>
    </message>
    <message>
        <source>FLOP per byte</source>
        <translation>每字节 FLOP</translation>
    </message>
    <message>
        <source>GFLOP/s</source>
        <translation>GFLOP/s</translation>
    </message>
    <message>
        <source>No module has both FLOP and bytes.</source>
        <translation>没有同时记录 FLOP 和字节数的模块。</translation>
    </message>
    <message>
        <source>best met: %1 GFLOP/s, %2 GB/s</source>
        <translation>达到的最高值：%1 GFLOP/s，%2 GB/s</translation>
    </message>
    <message>
        <source>%1 in all, %2 counted; step %3 took %4.</source>
        <translation>共 %1，计数 %2；第 %3 步用时 %4。</translation>
    </message>
    <message>
        <source>time of a step, s</source>
        <translation>每步时间，秒</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
    <message>
        <source>The whole step: %1 planned, %2 counted</source>
        <translation>整个步骤：计划 %1，实际统计 %2</translation>
    </message>
    <message>
        <source>not in this trace</source>
        <translation>不在此记录中</translation>
    </message>
    <message>
        <source>Plan without the steps before: %1, counted: %2 (%3 %)</source>
        <translation>不含此前步骤的计划：%1，实际统计：%2（%3 %）</translation>
    </message>
</context>
<context>
    <name>fw::ui::DesktopNotifier</name>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
</context>
<context>
    <name>fw::ui::Dialogs</name>
    <message>
        <source>Replace “%1”?</source>
        <translation>替换“%1”？</translation>
    </message>
    <message>
        <source>It exists already in %1.</source>
        <translation>%1 中已有同名文件。</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>The library cannot be opened</source>
        <translation>无法打开视频库</translation>
    </message>
</context>
<context>
    <name>fw::ui::DifferenceDialog</name>
    <message numerus="yes">
        <source>What differs between the first %n clips</source>
        <translation>
            <numerusform>前 %n 个视频的差异</numerusform>
        </translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>差异</translation>
    </message>
    <message>
        <source>Settings of the clips</source>
        <translation>视频的参数</translation>
    </message>
    <message>
        <source>Also what is the same</source>
        <translation>也显示相同项</translation>
    </message>
    <message>
        <source>Shows every setting of the clips</source>
        <translation>显示视频的全部参数</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>视频</translation>
    </message>
</context>
<context>
    <name>fw::ui::Edits</name>
    <message>
        <source>move jobs in the queue</source>
        <translation>移动队列中的任务</translation>
    </message>
    <message>
        <source>cancel jobs in the queue</source>
        <translation>取消队列中的任务</translation>
    </message>
    <message>
        <source>edit a job of the queue</source>
        <translation>编辑队列中的任务</translation>
    </message>
</context>
<context>
    <name>fw::ui::ErrorView</name>
    <message>
        <source>Copy details</source>
        <translation>复制详情</translation>
    </message>
    <message>
        <source>Copy the message and the settings for a report</source>
        <translation>复制错误信息和参数，便于报告问题</translation>
    </message>
</context>
<context>
    <name>fw::ui::Errors</name>
    <message>
        <source>These settings do not work together</source>
        <translation>这些参数不能一起使用</translation>
    </message>
    <message>
        <source>Change the setting and run again.</source>
        <translation>修改该参数后再次生成。</translation>
    </message>
    <message>
        <source>Back to the settings</source>
        <translation>返回参数</translation>
    </message>
    <message>
        <source>This model cannot be used</source>
        <translation>无法使用此模型</translation>
    </message>
    <message>
        <source>Choose a model folder in the diffusers layout, or put the missing file back and try again.</source>
        <translation>请选择 diffusers 结构的模型文件夹，或补回缺少的文件后重试。</translation>
    </message>
    <message>
        <source>Choose a model folder…</source>
        <translation>选择模型文件夹…</translation>
    </message>
    <message>
        <source>There is not enough memory for this clip</source>
        <translation>内存不足，无法生成此视频</translation>
    </message>
    <message>
        <source>Choose a smaller size or fewer frames and run again.</source>
        <translation>请减小尺寸或帧数后再次生成。</translation>
    </message>
    <message>
        <source>A file could not be read or written</source>
        <translation>文件无法读取或写入</translation>
    </message>
    <message>
        <source>Check the disk and the folder&apos;s permissions, then try again.</source>
        <translation>请检查磁盘和文件夹权限，然后重试。</translation>
    </message>
    <message>
        <source>Open the clips folder</source>
        <translation>打开视频文件夹</translation>
    </message>
    <message>
        <source>This machine cannot do that</source>
        <translation>这台电脑不支持此操作</translation>
    </message>
    <message>
        <source>Choose other settings or another model.</source>
        <translation>请选择其他参数或其他模型。</translation>
    </message>
    <message>
        <source>This library is open in another window</source>
        <translation>此视频库已在另一个窗口中打开</translation>
    </message>
    <message>
        <source>Use the window that is already open, or close it first.</source>
        <translation>请使用已打开的窗口，或先将其关闭。</translation>
    </message>
    <message>
        <source>The clip was cancelled</source>
        <translation>视频已取消</translation>
    </message>
    <message>
        <source>Nothing was saved. Run it again when you like.</source>
        <translation>没有保存任何内容，可随时再次生成。</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>再次生成</translation>
    </message>
    <message>
        <source>Framewright made a mistake</source>
        <translation>Framewright 出错了</translation>
    </message>
    <message>
        <source>This is a defect of the program, not of your settings. Copy the details into a report; running again may still work.</source>
        <translation>这是程序的缺陷，与您的参数无关。请把详情复制到问题报告中，再次生成或许可以成功。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>The engine stopped while it made this clip</source>
        <translation>生成此视频时引擎停止了</translation>
    </message>
    <message>
        <source>It starts again by itself. Run the clip once more; if that does not help, choose a smaller size or fewer frames.</source>
        <translation>引擎会自动重新启动。请再次生成；如果仍然失败，请选择更小的尺寸或更少的帧数。</translation>
    </message>
</context>
<context>
    <name>fw::ui::ExportDialog</name>
    <message>
        <source>Plays everywhere: browsers, phones, chats, editors.</source>
        <translation>随处可播：浏览器、手机、聊天软件、剪辑软件。</translation>
    </message>
    <message>
        <source>Smaller than H.264; plays on newer phones, Macs and televisions.</source>
        <translation>比 H.264 更小，较新的手机、Mac 和电视可以播放。</translation>
    </message>
    <message>
        <source>For web pages; plays in every browser.</source>
        <translation>适合网页，所有浏览器都能播放。</translation>
    </message>
    <message>
        <source>The smallest video; takes longest to write and needs a recent player.</source>
        <translation>体积最小的视频，编码最慢，需要较新的播放器。</translation>
    </message>
    <message>
        <source>For editing: large, 10 bits per colour, quick to cut and to grade.</source>
        <translation>适合剪辑：文件大，每通道 10 位，剪切和调色流畅。</translation>
    </message>
    <message>
        <source>For archives and measuring: every pixel exactly as it was made.</source>
        <translation>适合存档和测量：每个像素都与生成时一致。</translation>
    </message>
    <message>
        <source>Plays in any chat or page, with 256 colours; best for short, small clips.</source>
        <translation>任何聊天软件和网页都能播放，256 色，适合短小的视频。</translation>
    </message>
    <message>
        <source>Like GIF with all colours and smaller; loses nothing at quality 100.</source>
        <translation>类似 GIF，但色彩完整、体积更小，质量为 100 时无损。</translation>
    </message>
    <message>
        <source>A folder with one lossless picture for each frame.</source>
        <translation>一个文件夹，每帧一张无损图片。</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Export “%1”</source>
        <translation>导出“%1”</translation>
    </message>
    <message>
        <source>Export %1 clips</source>
        <translation>导出 %1 个视频</translation>
    </message>
    <message>
        <source>Reading the clip…</source>
        <translation>正在读取视频…</translation>
    </message>
    <message>
        <source>What kind of file is written</source>
        <translation>写入哪种文件</translation>
    </message>
    <message>
        <source>%1 (not installed)</source>
        <translation>%1（未安装）</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Copy the file as it is</source>
        <translation>原样复制文件</translation>
    </message>
    <message>
        <source>The clip has this format already: copying loses nothing. Uncheck to encode it again.</source>
        <translation>视频已经是这种格式，复制不会有损失。取消勾选则重新编码。</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>Higher looks better and makes larger files. 75 looks like the original.</source>
        <translation>数值越高画质越好、文件越大，75 看起来与原片一样。</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Width and height of the exported clip, in percent of the original</source>
        <translation>导出视频的宽和高，占原尺寸的百分比</translation>
    </message>
    <message>
        <source>Size in percent</source>
        <translation>尺寸百分比</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>As in the clip</source>
        <translation>与原片相同</translation>
    </message>
    <message>
        <source>Frames per second. Frames are left out or repeated, so the clip lasts as long as before.</source>
        <translation>每秒帧数。会丢弃或重复一些帧，时长保持不变。</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>每秒帧数</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>无限循环</translation>
    </message>
    <message>
        <source>How often the picture plays before it stops</source>
        <translation>动画停止前播放几次</translation>
    </message>
    <message>
        <source>Plays</source>
        <translation>播放次数</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>起始帧</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>结束帧</translation>
    </message>
    <message>
        <source>First frame to export, counted from 1</source>
        <translation>导出的起始帧，从 1 数起</translation>
    </message>
    <message>
        <source>Last frame to export</source>
        <translation>导出的结束帧</translation>
    </message>
    <message>
        <source>to</source>
        <translation>至</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧范围</translation>
    </message>
    <message>
        <source>Keep prompt and settings in the file</source>
        <translation>在文件中保留提示词和参数</translation>
    </message>
    <message>
        <source>Dropped onto this window, the file brings them back. Uncheck to share a clip without its prompt.</source>
        <translation>把文件拖回此窗口即可恢复这些参数。取消勾选则分享时不带提示词。</translation>
    </message>
    <message>
        <source>Name of the new file; its ending follows the format</source>
        <translation>新文件的名称，扩展名随格式而定</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Folder that the new files are put into</source>
        <translation>新文件存放的文件夹</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>选择文件夹</translation>
    </message>
    <message>
        <source>Progress of the export</source>
        <translation>导出进度</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>显示文件</translation>
    </message>
    <message>
        <source>Open the folder that the new file is in</source>
        <translation>打开新文件所在的文件夹</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Close without exporting (Esc)</source>
        <translation>不导出并关闭（Esc）</translation>
    </message>
    <message>
        <source>Give the new file a name.</source>
        <translation>请输入新文件的名称。</translation>
    </message>
    <message>
        <source>A name cannot hold a “/”.</source>
        <translation>名称不能包含“/”。</translation>
    </message>
    <message>
        <source>The name is too long; shorten it.</source>
        <translation>名称太长，请缩短。</translation>
    </message>
    <message>
        <source>There is no folder of this name; choose another one.</source>
        <translation>没有这个文件夹，请另选一个。</translation>
    </message>
    <message>
        <source>Nothing can be written into this folder; choose another one.</source>
        <translation>无法写入此文件夹，请另选一个。</translation>
    </message>
    <message>
        <source>The first frame comes after the last one.</source>
        <translation>起始帧在结束帧之后。</translation>
    </message>
    <message>
        <source>A folder “%1” exists already; choose another name.</source>
        <translation>文件夹“%1”已存在，请换一个名称。</translation>
    </message>
    <message>
        <source>%1 and %2 more</source>
        <translation>%1 等，另有 %2 个</translation>
    </message>
    <message>
        <source>%1, about %2</source>
        <translation>%1，约 %2</translation>
    </message>
    <message>
        <source>%1 × %2 pixels</source>
        <translation>%1 × %2 像素</translation>
    </message>
    <message>
        <source>%1 × %2 pixels, %3 frames, %4, %5</source>
        <translation>%1 × %2 像素，%3 帧，%4，%5</translation>
    </message>
    <message>
        <source>All of them get the same settings and keep their names.</source>
        <translation>全部使用相同设置，并保留原名称。</translation>
    </message>
    <message>
        <source>Write the new file (Enter)</source>
        <translation>写入新文件（Enter）</translation>
    </message>
    <message>
        <source>Folder for exported clips</source>
        <translation>导出视频的文件夹</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>关闭（Esc）</translation>
    </message>
    <message>
        <source>Stop exporting; no unfinished file stays (Esc)</source>
        <translation>停止导出，不留下未完成的文件（Esc）</translation>
    </message>
    <message>
        <source>Writing…</source>
        <translation>正在写入…</translation>
    </message>
    <message>
        <source>Writing clip %1 of %2…</source>
        <translation>正在写入第 %1 个，共 %2 个…</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Saved %1, %2.</source>
        <translation>已保存 %1，%2。</translation>
    </message>
    <message>
        <source>Saved %1 clips.</source>
        <translation>已保存 %1 个视频。</translation>
    </message>
    <message>
        <source>Show files</source>
        <translation>显示文件</translation>
    </message>
    <message>
        <source>Cancelled; nothing was written.</source>
        <translation>已取消，没有写入任何内容。</translation>
    </message>
    <message>
        <source>Cancelled; written so far: %1.</source>
        <translation>已取消，已写入：%1。</translation>
    </message>
</context>
<context>
    <name>fw::ui::FoldedSection</name>
    <message>
        <source>shown</source>
        <translation>已展开</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>已收起</translation>
    </message>
</context>
<context>
    <name>fw::ui::Formats</name>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 小时 %2 分</translation>
    </message>
</context>
<context>
    <name>fw::ui::FrameRow</name>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Drag to look at one frame. I and O mark the part that is played.</source>
        <translation>拖动查看某一帧，I 和 O 标记播放区间。</translation>
    </message>
    <message>
        <source>Frame, of how many</source>
        <translation>当前帧 / 总帧数</translation>
    </message>
    <message>
        <source>Minutes, seconds and hundredths, of how many</source>
        <translation>分、秒、百分秒 / 总时长</translation>
    </message>
</context>
<context>
    <name>fw::ui::Frames</name>
    <message>
        <source>frame %1, row %2, column %3</source>
        <translation>第 %1 帧，第 %2 行，第 %3 列</translation>
    </message>
</context>
<context>
    <name>fw::ui::Gates</name>
    <message>
        <source>Linear branch</source>
        <translation>线性分支</translation>
    </message>
    <message>
        <source>gates</source>
        <translation>门控</translation>
    </message>
    <message>
        <source>Only the method SALAD has a linear branch; this clip was made with &apos;%1&apos;.</source>
        <translation>只有 SALAD 方法有线性分支；此片段使用的是“%1”。</translation>
    </message>
    <message>
        <source>gate at each patch; step %1, layer %2</source>
        <translation>各图块的门控值；第 %1 步，第 %2 层</translation>
    </message>
    <message>
        <source>gate %1</source>
        <translation>门控 %1</translation>
    </message>
    <message>
        <source>gate of the linear branch</source>
        <translation>线性分支的门控</translation>
    </message>
    <message>
        <source>layer downwards, step to the right</source>
        <translation>向下为层，向右为步</translation>
    </message>
    <message>
        <source>Step %1, layer %2</source>
        <translation>第 %1 步，第 %2 层</translation>
    </message>
    <message>
        <source>sparse part %1, linear part %2 (RMS)
ratio %3, mean gate %4</source>
        <translation>稀疏部分 %1，线性部分 %2（均方根）
比值 %3，平均门控 %4</translation>
    </message>
    <message>
        <source>not kept</source>
        <translation>未保留</translation>
    </message>
    <message>
        <source>linear part over sparse part, RMS</source>
        <translation>线性部分与稀疏部分之比，均方根</translation>
    </message>
    <message>
        <source>Step %1, layer %2: the linear branch adds %3 of the sparse part&apos;s size; mean gate %4.</source>
        <translation>第 %1 步，第 %2 层：线性分支增加的大小为稀疏部分的 %3；平均门控 %4。</translation>
    </message>
    <message>
        <source>No share of the linear branch was kept at step %1, layer %2.</source>
        <translation>第 %1 步第 %2 层没有保留线性分支的占比。</translation>
    </message>
    <message>
        <source>The branch&apos;s weight λ (branch_scale) is %1.</source>
        <translation>分支权重 λ（branch_scale）为 %1。</translation>
    </message>
</context>
<context>
    <name>fw::ui::Heads</name>
    <message>
        <source>spatial</source>
        <translation>空间</translation>
    </message>
    <message>
        <source>temporal</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>global</source>
        <translation>全局</translation>
    </message>
    <message>
        <source>sink</source>
        <translation>汇聚</translation>
    </message>
</context>
<context>
    <name>fw::ui::ImguiWidget</name>
    <message>
        <source>The inspector draws with OpenGL 3.3, which this display does not offer.</source>
        <translation>检查器使用 OpenGL 3.3 绘制，而此显示环境不提供它。</translation>
    </message>
</context>
<context>
    <name>fw::ui::InspectWindow</name>
    <message>
        <source>%1 – Inspector</source>
        <translation>%1 – 检查器</translation>
    </message>
</context>
<context>
    <name>fw::ui::InspectorPanel</name>
    <message>
        <source>Inspector</source>
        <translation>检查器</translation>
    </message>
    <message>
        <source>Copy as a picture</source>
        <translation>复制为图片</translation>
    </message>
    <message>
        <source>Views</source>
        <translation>视图</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Export the view</source>
        <translation>导出视图</translation>
    </message>
    <message>
        <source>Copy or save what is shown, with its settings</source>
        <translation>复制或保存所显示的内容及其设置</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>Denoising step (← →)</source>
        <translation>去噪步骤（← →）</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>层</translation>
    </message>
    <message>
        <source>Layer of the model (↑ ↓)</source>
        <translation>模型的层（↑ ↓）</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>注意力头</translation>
    </message>
    <message>
        <source>Attention head ([ ])</source>
        <translation>注意力头（[ ]）</translation>
    </message>
    <message>
        <source>with the prompt</source>
        <translation>带提示词</translation>
    </message>
    <message>
        <source>without the prompt</source>
        <translation>不带提示词</translation>
    </message>
    <message>
        <source>Which of the two passes of guidance</source>
        <translation>引导的两次计算中的哪一次</translation>
    </message>
    <message>
        <source>Pass</source>
        <translation>计算</translation>
    </message>
    <message>
        <source>Make it again with probes</source>
        <translation>带探针重新生成</translation>
    </message>
    <message>
        <source>Adds the clip to the queue again, with the same seed, and looks into it on the way</source>
        <translation>用同一种子再次把片段加入队列，并在过程中记录内部情况</translation>
    </message>
    <message>
        <source>Save as SVG…</source>
        <translation>另存为 SVG…</translation>
    </message>
    <message>
        <source>Save as PNG…</source>
        <translation>另存为 PNG…</translation>
    </message>
    <message>
        <source>Save the numbers as CSV…</source>
        <translation>将数值另存为 CSV…</translation>
    </message>
    <message>
        <source>Save the numbers for NumPy…</source>
        <translation>将数值另存为 NumPy 格式…</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>并排</translation>
    </message>
    <message>
        <source>Shows the other trace beside this one, at the same step, layer and head</source>
        <translation>在同一步、同一层和同一个头上并排显示另一条记录</translation>
    </message>
    <message>
        <source>Compare with another trace…</source>
        <translation>与另一份记录比较…</translation>
    </message>
    <message>
        <source>Compared with %1</source>
        <translation>正在与 %1 比较</translation>
    </message>
    <message>
        <source>The run failed here: %1</source>
        <translation>运行在此失败：%1</translation>
    </message>
    <message>
        <source>Reading the trace…</source>
        <translation>正在读取记录…</translation>
    </message>
    <message>
        <source>Choose a clip in the library to look into how it was made.</source>
        <translation>在片库中选择一个片段，查看它是如何生成的。</translation>
    </message>
    <message>
        <source>%1 has no trace: nothing was kept of how it was made.</source>
        <translation>%1 没有记录：未保留它的生成过程。</translation>
    </message>
    <message>
        <source> of %1</source>
        <translation> / %1</translation>
    </message>
    <message>
        <source>The view is in the clipboard.</source>
        <translation>视图已复制到剪贴板。</translation>
    </message>
    <message>
        <source>Saved: %1</source>
        <translation>已保存：%1</translation>
    </message>
    <message>
        <source>Save the view</source>
        <translation>保存视图</translation>
    </message>
    <message>
        <source>Compare with another trace</source>
        <translation>与另一份记录比较</translation>
    </message>
    <message>
        <source>Traces (*.safetensors)</source>
        <translation>记录 (*.safetensors)</translation>
    </message>
    <message>
        <source>Look inside from the next step on</source>
        <translation>从下一步起观察内部</translation>
    </message>
    <message>
        <source>Adds probes to the clip that is being made; the clip stays the same</source>
        <translation>为正在生成的片段加入探针;片段本身不变</translation>
    </message>
    <message>
        <source>Save the changes for fw branch…</source>
        <translation>保存更改供 fw branch 使用…</translation>
    </message>
    <message>
        <source>Save the changes</source>
        <translation>保存更改</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2.</source>
        <translation>无法写入 %1:%2。</translation>
    </message>
    <message>
        <source>%1 is being made: what happens inside appears here after its next step.</source>
        <translation>正在生成 %1:下一步之后,内部情况会显示在这里。</translation>
    </message>
    <message>
        <source>The changes this clip was made with cannot be read: make them anew on the clip it came from.</source>
        <translation>无法读取生成此片段时所做的更改：请在它所源自的片段上重新更改。</translation>
    </message>
    <message>
        <source>Too much has changed since the first clip: %1</source>
        <translation>相对最初的片段，更改过多：%1</translation>
    </message>
</context>
<context>
    <name>fw::ui::InvitationView</name>
    <message>
        <source>Describe a clip</source>
        <translation>描述一个视频</translation>
    </message>
    <message>
        <source>Write who does what, and where, then press Run. The clip forms here while you watch. Or start from one of these:</source>
        <translation>写下谁在哪里做什么，然后点“生成”。视频会在这里逐步成形。也可以从下面的例子开始：</translation>
    </message>
    <message>
        <source>Put this into the prompt</source>
        <translation>填入提示词</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryEdits</name>
    <message>
        <source>stars</source>
        <translation>修改星级</translation>
    </message>
    <message>
        <source>add a tag</source>
        <translation>添加标签</translation>
    </message>
    <message>
        <source>remove a tag</source>
        <translation>移除标签</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>修改备注</translation>
    </message>
    <message>
        <source>move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>restore</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>move to %1</source>
        <translation>移动到 %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryGrid</name>
    <message>
        <source>Clips</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Play the clip</source>
        <translation>播放视频</translation>
    </message>
    <message>
        <source>Give stars</source>
        <translation>评星</translation>
    </message>
    <message>
        <source>Add to the comparison</source>
        <translation>加入对比</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryModel</name>
    <message>
        <source>%1
Its file is missing: %2</source>
        <translation>%1
文件缺失：%2</translation>
    </message>
    <message>
        <source>%1, one star</source>
        <translation>%1，1 星</translation>
    </message>
    <message numerus="yes">
        <source>%1, %n stars</source>
        <translation>
            <numerusform>%1，%n 星</numerusform>
        </translation>
    </message>
    <message>
        <source>%1, file missing</source>
        <translation>%1，文件缺失</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryPanel</name>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>One clip deleted.</source>
        <translation>已删除 1 个视频。</translation>
    </message>
    <message numerus="yes">
        <source>%n clips deleted.</source>
        <translation>
            <numerusform>已删除 %n 个视频。</numerusform>
        </translation>
    </message>
    <message>
        <source>The clips are gone from the library, but %1 could not be deleted.</source>
        <translation>视频已从库中移除，但 %1 无法删除。</translation>
    </message>
    <message>
        <source>Other changes came after it: Ctrl+Z takes them back one by one.</source>
        <translation>之后还有其他改动，可用 Ctrl+Z 逐个撤销。</translation>
    </message>
    <message>
        <source>1 clip</source>
        <translation>1 个视频</translation>
    </message>
    <message>
        <source>%1 clips</source>
        <translation>%1 个视频</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>没有结果</translation>
    </message>
    <message>
        <source>No clip matches “%1”.</source>
        <translation>没有视频符合“%1”。</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>清除搜索</translation>
    </message>
    <message>
        <source>The trash is empty</source>
        <translation>回收站是空的</translation>
    </message>
    <message>
        <source>Clips you move to the trash wait here.</source>
        <translation>移到回收站的视频会留在这里。</translation>
    </message>
    <message>
        <source>No clips in this project</source>
        <translation>此项目中没有视频</translation>
    </message>
    <message>
        <source>Select clips and move them here from their menu.</source>
        <translation>选择视频后，可从右键菜单移到这里。</translation>
    </message>
    <message>
        <source>Show all projects</source>
        <translation>显示所有项目</translation>
    </message>
    <message>
        <source>No clips yet</source>
        <translation>还没有视频</translation>
    </message>
    <message>
        <source>Every clip you make is kept here, with everything that made it.</source>
        <translation>您生成的每个视频都保存在这里，连同生成它的一切信息。</translation>
    </message>
    <message>
        <source>Only the first %1 of the selected clips are used.</source>
        <translation>所选视频中只使用前 %1 个。</translation>
    </message>
    <message>
        <source>The file of this clip is missing: %1</source>
        <translation>此视频的文件缺失：%1</translation>
    </message>
    <message>
        <source>The file is %1</source>
        <translation>文件位于 %1</translation>
    </message>
    <message>
        <source>The settings are on the clipboard.</source>
        <translation>参数已复制到剪贴板。</translation>
    </message>
    <message>
        <source>One clip moved to the trash.</source>
        <translation>已将 1 个视频移到回收站。</translation>
    </message>
    <message numerus="yes">
        <source>%n clips moved to the trash.</source>
        <translation>
            <numerusform>已将 %n 个视频移到回收站。</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>One clip restored.</source>
        <translation>已恢复 1 个视频。</translation>
    </message>
    <message numerus="yes">
        <source>%n clips restored.</source>
        <translation>
            <numerusform>已恢复 %n 个视频。</numerusform>
        </translation>
    </message>
    <message>
        <source>Delete this clip for good?</source>
        <translation>永久删除此视频？</translation>
    </message>
    <message numerus="yes">
        <source>Delete %n clips for good?</source>
        <translation>
            <numerusform>永久删除 %n 个视频？</numerusform>
        </translation>
    </message>
    <message>
        <source>What is deleted is gone from the disk too. This cannot be taken back.</source>
        <translation>文件也会从磁盘上删除，此操作无法撤销。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>永久删除…</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Load settings</source>
        <translation>载入参数</translation>
    </message>
    <message>
        <source>Vary seed</source>
        <translation>换种子</translation>
    </message>
    <message>
        <source>Show in folder</source>
        <translation>在文件夹中显示</translation>
    </message>
    <message>
        <source>What differs…</source>
        <translation>查看差异…</translation>
    </message>
    <message>
        <source>Add to the comparison</source>
        <translation>加入对比</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Copy settings</source>
        <translation>复制参数</translation>
    </message>
    <message>
        <source>Stars</source>
        <translation>星级</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Move to project</source>
        <translation>移动到项目</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>新建项目…</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Rename project</source>
        <translation>重命名项目</translation>
    </message>
    <message>
        <source>One clip to compare: add another one.</source>
        <translation>对比中有 1 个视频，再添加一个。</translation>
    </message>
    <message numerus="yes">
        <source>%n clips to compare</source>
        <translation>
            <numerusform>对比 %n 个视频</numerusform>
        </translation>
    </message>
    <message>
        <source>Project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>Shows the clips of one project, which new clips join</source>
        <translation>只显示一个项目的视频，新视频也归入该项目</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>所有项目</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>排序</translation>
    </message>
    <message>
        <source>The order of the clips</source>
        <translation>视频的排列顺序</translation>
    </message>
    <message>
        <source>Newest</source>
        <translation>最新</translation>
    </message>
    <message>
        <source>Oldest</source>
        <translation>最早</translation>
    </message>
    <message>
        <source>Most stars</source>
        <translation>星级最高</translation>
    </message>
    <message>
        <source>Longest</source>
        <translation>最长</translation>
    </message>
    <message>
        <source>Prompt A–Z</source>
        <translation>提示词 A–Z</translation>
    </message>
    <message>
        <source>Show as a list</source>
        <translation>以列表显示</translation>
    </message>
    <message>
        <source>Shows one clip in each line</source>
        <translation>每行显示一个视频</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>回收站</translation>
    </message>
    <message>
        <source>Shows the clips in the trash</source>
        <translation>显示回收站中的视频</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Projects, size of the tiles, trash</source>
        <translation>项目、缩略图大小、回收站</translation>
    </message>
    <message>
        <source>Size of the tiles</source>
        <translation>缩略图大小</translation>
    </message>
    <message>
        <source>Small</source>
        <translation>小</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>Large</source>
        <translation>大</translation>
    </message>
    <message>
        <source>Rename this project…</source>
        <translation>重命名此项目…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>清空回收站…</translation>
    </message>
    <message>
        <source>Clips wait in the trash until you delete them.</source>
        <translation>视频会留在回收站，直到您将其删除。</translation>
    </message>
    <message>
        <source>Takes the selected clips out of the trash</source>
        <translation>从回收站取出所选视频</translation>
    </message>
    <message>
        <source>Deletes the selected clips and their files</source>
        <translation>删除所选视频及其文件</translation>
    </message>
    <message>
        <source>Shows the settings of the collected clips side by side</source>
        <translation>并排显示已收集视频的参数</translation>
    </message>
    <message>
        <source>Forget the collected clips</source>
        <translation>清空已收集的视频</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
</context>
<context>
    <name>fw::ui::LibrarySearch</name>
    <message>
        <source>model&apos;s name</source>
        <translation>模型名称</translation>
    </message>
    <message>
        <source>attention method</source>
        <translation>注意力方法</translation>
    </message>
    <message>
        <source>has this tag</source>
        <translation>含此标签</translation>
    </message>
    <message>
        <source>number of stars</source>
        <translation>星级</translation>
    </message>
    <message>
        <source>project&apos;s name</source>
        <translation>项目名称</translation>
    </message>
    <message>
        <source>day it was made</source>
        <translation>生成日期</translation>
    </message>
    <message>
        <source>denoising steps</source>
        <translation>去噪步数</translation>
    </message>
    <message>
        <source>guidance</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>digits of the seed</source>
        <translation>种子数字</translation>
    </message>
    <message>
        <source>sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>number of frames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>time it took to make</source>
        <translation>生成耗时</translation>
    </message>
    <message>
        <source>device it ran on</source>
        <translation>运行设备</translation>
    </message>
    <message>
        <source>file is missing</source>
        <translation>文件缺失</translation>
    </message>
    <message>
        <source>Search: words, model:mini, star:&gt;=3 …</source>
        <translation>搜索：词语、model:mini、star:&gt;=3 …</translation>
    </message>
    <message>
        <source>Search the clips</source>
        <translation>搜索视频</translation>
    </message>
    <message>
        <source>Words of the prompt, notes and tags, and terms such as steps:&gt;20. Ctrl+F comes here.</source>
        <translation>提示词、备注和标签中的词语，以及 steps:&gt;20 这样的条件。按 Ctrl+F 定位到这里。</translation>
    </message>
    <message>
        <source>How to search</source>
        <translation>搜索帮助</translation>
    </message>
    <message>
        <source>What the search understands</source>
        <translation>搜索语法</translation>
    </message>
    <message>
        <source>At character %1: %2.</source>
        <translation>第 %1 个字符处：%2。</translation>
    </message>
    <message>
        <source>Words are looked for in prompts, notes and tags; the last letters may be missing. “Several words” in quotes belong together, a minus sign excludes.</source>
        <translation>在提示词、备注和标签中查找词语，词尾可以省略。用引号括起的“多个词语”视为整体，减号表示排除。</translation>
    </message>
    <message>
        <source>Add %1 to the search</source>
        <translation>把 %1 加入搜索</translation>
    </message>
</context>
<context>
    <name>fw::ui::LogView</name>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>What the engine, the queue and the library said since the start</source>
        <translation>自启动以来引擎、队列和素材库的消息</translation>
    </message>
    <message>
        <source>Nothing to show</source>
        <translation>没有可显示的内容</translation>
    </message>
    <message>
        <source>Include my prompts</source>
        <translation>包含我的提示词</translation>
    </message>
    <message>
        <source>Without this the copied text does not tell what you make</source>
        <translation>不勾选时，复制的文本不会透露您在制作什么</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>复制诊断信息</translation>
    </message>
    <message>
        <source>Version, devices, settings and the last lines of the log, for a report of a defect</source>
        <translation>版本、设备、设置和日志的最后几行，用于报告缺陷</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Close the log</source>
        <translation>关闭日志</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Warnings and errors</source>
        <translation>警告和错误</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>错误</translation>
    </message>
    <message>
        <source>Shown lines</source>
        <translation>显示的行</translation>
    </message>
    <message>
        <source>Which lines are shown</source>
        <translation>显示哪些行</translation>
    </message>
    <message>
        <source>Search the log</source>
        <translation>搜索日志</translation>
    </message>
    <message>
        <source>Only lines that contain this are shown</source>
        <translation>只显示包含此内容的行</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>跟随</translation>
    </message>
    <message>
        <source>Scroll to what is said last</source>
        <translation>滚动到最新的消息</translation>
    </message>
</context>
<context>
    <name>fw::ui::MachineForm</name>
    <message>
        <source>Machine</source>
        <translation>计算设备</translation>
    </message>
    <message>
        <source>What computes the clip, how exactly, and with how much memory</source>
        <translation>由什么计算片段、精度如何、可用多少内存</translation>
    </message>
    <message>
        <source>What computes the clip. Automatic: a graphics card that can, else the processor.</source>
        <translation>由什么计算片段。“自动”：能用显卡就用显卡，否则用处理器。</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>bf16, quick</source>
        <translation>bf16，快</translation>
    </message>
    <message>
        <source>f32, exact</source>
        <translation>f32，精确</translation>
    </message>
    <message>
        <source>fp8, quickest</source>
        <translation>fp8，最快</translation>
    </message>
    <message>
        <source>Number type the model computes in. fp8 needs a graphics card that has it, and changes the clip a little.</source>
        <translation>模型计算所用的数值类型。fp8 需要支持它的显卡，并会使片段略有变化。</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source> GiB</source>
        <translation> GiB</translation>
    </message>
    <message>
        <source>All that is free</source>
        <translation>全部空闲内存</translation>
    </message>
    <message>
        <source>The most memory the clip may take. With less, weights wait outside and the clip is decoded in smaller pieces; what cannot fit is refused before it begins.</source>
        <translation>片段最多可占用的内存。内存较少时，权重在外等待，片段分成更小的块解码；放不下的会在开始前被拒绝。</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Threads of the processor that compute</source>
        <translation>参与计算的处理器线程数</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>线程</translation>
    </message>
    <message>
        <source>%1, not here</source>
        <translation>%1，此处没有</translation>
    </message>
</context>
<context>
    <name>fw::ui::MainWindow</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>视频库</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Make the clips that wait</source>
        <translation>生成等待中的视频</translation>
    </message>
    <message>
        <source>Keep paused</source>
        <translation>保持暂停</translation>
    </message>
    <message>
        <source>Leave the queue as it is for now</source>
        <translation>暂时不动队列</translation>
    </message>
    <message>
        <source>Clip in the making</source>
        <translation>正在生成的视频</translation>
    </message>
    <message>
        <source>Show it</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Back to the clip that is being made</source>
        <translation>回到正在生成的视频</translation>
    </message>
    <message>
        <source>Show or hide this panel</source>
        <translation>显示或隐藏此面板</translation>
    </message>
    <message>
        <source>that clip</source>
        <translation>该视频</translation>
    </message>
    <message numerus="yes">
        <source>The queue is paused; %n clip(s) wait.</source>
        <translation>
            <numerusform>队列已暂停，有 %n 个视频在等待。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait; the one in the making goes on from its last step.</source>
        <translation>
            <numerusform>Framewright 上次没有正常退出。有 %n 个视频在等待，未完成的那个将从最后一步继续。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait.</source>
        <translation>
            <numerusform>Framewright 上次没有正常退出。有 %n 个视频在等待。</numerusform>
        </translation>
    </message>
    <message>
        <source>Another clip is being made: step %1 of %2.</source>
        <translation>正在生成另一个视频：第 %1/%2 步。</translation>
    </message>
    <message>
        <source>Another clip is being made.</source>
        <translation>正在生成另一个视频。</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>选择模型文件夹</translation>
    </message>
    <message>
        <source>A clip is done</source>
        <translation>视频已生成</translation>
    </message>
    <message>
        <source>A clip was not made</source>
        <translation>视频未能生成</translation>
    </message>
    <message>
        <source>loading of settings</source>
        <translation>载入参数</translation>
    </message>
    <message>
        <source>The settings of %1 are in the form.</source>
        <translation>%1的参数已填入表单。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>The folder is %1</source>
        <translation>文件夹位于 %1</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>Load settings from a clip…</source>
        <translation>从视频载入参数…</translation>
    </message>
    <message>
        <source>Load settings from a clip</source>
        <translation>从视频载入参数</translation>
    </message>
    <message>
        <source>Clips (*.mp4 *.webm *.mkv *.mov *.gif *.webp *.png);;All files (*)</source>
        <translation>视频 (*.mp4 *.webm *.mkv *.mov *.gif *.webp *.png);;所有文件 (*)</translation>
    </message>
    <message>
        <source>Export the clip…</source>
        <translation>导出视频…</translation>
    </message>
    <message>
        <source>Choose a model folder…</source>
        <translation>选择模型文件夹…</translation>
    </message>
    <message>
        <source>Use the embedded model</source>
        <translation>使用内置模型</translation>
    </message>
    <message>
        <source>Open the library folder</source>
        <translation>打开视频库文件夹</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>设置…</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>Next panel</source>
        <translation>下一个面板</translation>
    </message>
    <message>
        <source>Previous panel</source>
        <translation>上一个面板</translation>
    </message>
    <message>
        <source>Show the clip in the making</source>
        <translation>显示正在生成的视频</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>全屏</translation>
    </message>
    <message>
        <source>Reset the layout</source>
        <translation>重置布局</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation>队列(&amp;Q)</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Show an exact preview now</source>
        <translation>立即显示精确预览</translation>
    </message>
    <message>
        <source>Stop and keep what there is</source>
        <translation>停止并保留当前结果</translation>
    </message>
    <message>
        <source>Cancel the clip</source>
        <translation>取消此视频</translation>
    </message>
    <message>
        <source>Pause the queue</source>
        <translation>暂停队列</translation>
    </message>
    <message>
        <source>The clip in the making goes on; no other one begins</source>
        <translation>正在生成的视频会完成，之后不再开始新的</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>About Framewright</source>
        <translation>关于 Framewright</translation>
    </message>
    <message>
        <source>The model “%1” of these settings is not on this machine.</source>
        <translation>这些设置所用的模型“%1”不在本机上。</translation>
    </message>
    <message>
        <source>The model “%1” of these settings cannot be used: %2</source>
        <translation>这些设置所用的模型“%1”无法使用：%2</translation>
    </message>
    <message>
        <source>%1 The next clip is made with “%2”.</source>
        <translation>%1下一个片段将使用“%2”制作。</translation>
    </message>
    <message>
        <source>Log…</source>
        <translation>日志…</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>检查器</translation>
    </message>
    <message>
        <source>The settings of this clip cannot be read.</source>
        <translation>无法读取此片段的设置。</translation>
    </message>
    <message>
        <source>Made again with probes: the clip is the same in every pixel.</source>
        <translation>已带探针重新生成：视频的每个像素都相同。</translation>
    </message>
    <message>
        <source>Made again, but not the same: %1 of %2 frames differ. Another device, number type or version?</source>
        <translation>已重新生成，但不相同：%2 帧中有 %1 帧不同。是否换了设备、数值类型或版本？</translation>
    </message>
    <message>
        <source>What was seen inside until then is kept.</source>
        <translation>此前观察到的内部情况已保留。</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>观察内部</translation>
    </message>
    <message>
        <source>Made again with your changes: the inspector shows both side by side.</source>
        <translation>已按您的更改重新生成:检查器并排显示两者。</translation>
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
        <translation>注意力头</translation>
    </message>
    <message>
        <source>attention maps</source>
        <translation>注意力图</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>网格</translation>
    </message>
    <message>
        <source>What the rows and the columns of the small maps are</source>
        <translation>小图的行和列分别表示什么</translation>
    </message>
    <message>
        <source>no finite numbers</source>
        <translation>没有有限数值</translation>
    </message>
    <message>
        <source>layers × heads</source>
        <translation>层 × 头</translation>
    </message>
    <message>
        <source>steps × heads</source>
        <translation>步 × 头</translation>
    </message>
    <message>
        <source>steps × layers</source>
        <translation>步 × 层</translation>
    </message>
    <message>
        <source>step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>层</translation>
    </message>
    <message>
        <source>head</source>
        <translation>头</translation>
    </message>
    <message>
        <source>%1 downwards, %2 to the right</source>
        <translation>向下为%1，向右为%2</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3</source>
        <translation>第 %1 步，第 %2 层，第 %3 头</translation>
    </message>
    <message>
        <source>%1; entropy %2 nats
mean distance %3 frames, %4 rows, %5 columns
largest key %6, own frame %7</source>
        <translation>%1；熵 %2 奈特
平均距离：%3 帧，%4 行，%5 列
最大的键 %6，本帧 %7</translation>
    </message>
    <message>
        <source>not kept</source>
        <translation>未保留</translation>
    </message>
    <message>
        <source>No map was kept here.</source>
        <translation>此处没有保留注意力图。</translation>
    </message>
    <message>
        <source>keys to the right, queries downwards, in blocks of the clip</source>
        <translation>向右为键，向下为查询，以片段的块为单位</translation>
    </message>
    <message>
        <source>from block %1 to block %2 (time, row, column)
mass %3</source>
        <translation>从块 %1 到块 %2（时间、行、列）
权重 %3</translation>
    </message>
    <message>
        <source>attention mass, square root</source>
        <translation>注意力权重，平方根</translation>
    </message>
    <message>
        <source>Pooled attention of step %1, layer %2, head %3.</source>
        <translation>第 %1 步第 %2 层第 %3 头的分块注意力。</translation>
    </message>
    <message>
        <source>Step %1: %2 spatial, %3 temporal, %4 global and %5 sink heads.</source>
        <translation>第 %1 步：空间头 %2 个，时间头 %3 个，全局头 %4 个，汇聚头 %5 个。</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>顺序</translation>
    </message>
    <message>
        <source>Heads by their numbers, or those of a kind beside one another in each row</source>
        <translation>按编号排列注意力头，或在每行中将同类的头排在一起</translation>
    </message>
    <message>
        <source>by number</source>
        <translation>按编号</translation>
    </message>
    <message>
        <source>by kind</source>
        <translation>按种类</translation>
    </message>
    <message>
        <source>%1 downwards, heads by kind to the right</source>
        <translation>向下为%1，向右为按种类排列的头</translation>
    </message>
</context>
<context>
    <name>fw::ui::Masks</name>
    <message>
        <source>Masks</source>
        <translation>掩码</translation>
    </message>
    <message>
        <source>No masks here: the method &apos;%1&apos; computed all pairs of tiles, or the probe &apos;mask&apos; was not asked for.</source>
        <translation>没有掩码：方法“%1”计算了所有块对，或没有要求探针“mask”。</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>掩码</translation>
    </message>
    <message>
        <source>Compare with</source>
        <translation>比较对象</translation>
    </message>
    <message>
        <source>Colours what only one of two masks computed. Another trace is chosen in the menu Export.</source>
        <translation>用颜色标出两个掩码中只有一个计算的部分。另一份记录在“导出”菜单中选择。</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>无</translation>
    </message>
    <message>
        <source>the step before</source>
        <translation>上一步</translation>
    </message>
    <message>
        <source>the layer before</source>
        <translation>上一层</translation>
    </message>
    <message>
        <source>the head before</source>
        <translation>上一个头</translation>
    </message>
    <message>
        <source>the other trace</source>
        <translation>另一份记录</translation>
    </message>
    <message>
        <source>computed by both</source>
        <translation>两者都计算</translation>
    </message>
    <message>
        <source>only here</source>
        <translation>仅此处</translation>
    </message>
    <message>
        <source>only there</source>
        <translation>仅彼处</translation>
    </message>
    <message>
        <source>skipped by both</source>
        <translation>两者都跳过</translation>
    </message>
    <message>
        <source>computed</source>
        <translation>已计算</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>已跳过</translation>
    </message>
    <message>
        <source>No other trace is open: choose one in the menu Export.</source>
        <translation>没有打开另一份记录：请在“导出”菜单中选择。</translation>
    </message>
    <message>
        <source>There is no mask to compare with.</source>
        <translation>没有可比较的掩码。</translation>
    </message>
    <message>
        <source>key tiles to the right, query tiles downwards</source>
        <translation>向右为键块，向下为查询块</translation>
    </message>
    <message>
        <source>query tile %1 kept %2 of its attention</source>
        <translation>查询块 %1 保留了 %2 的注意力</translation>
    </message>
    <message>
        <source>right: share of the attention that was kept, 0 (dark) to 1</source>
        <translation>右侧：保留的注意力占比，0（深色）到 1</translation>
    </message>
    <message>
        <source>tiles of %1 tokens</source>
        <translation>每块 %1 个词元</translation>
    </message>
    <message>
        <source>query tile %1, key tile %2: %3</source>
        <translation>查询块 %1，键块 %2：%3</translation>
    </message>
    <message>
        <source>computed share and kept mass of each head</source>
        <translation>各头的计算占比与保留的权重</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>第 %1 头</translation>
    </message>
    <message>
        <source>No mask was kept here.</source>
        <translation>此处没有保留掩码。</translation>
    </message>
    <message>
        <source>what query tile %1 looks at, frame by frame</source>
        <translation>查询块 %1 逐帧看向何处</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3: %4 of the tiles computed</source>
        <translation>第 %1 步，第 %2 层，第 %3 头：计算了 %4 的块</translation>
    </message>
    <message>
        <source>, %1 of the attention kept</source>
        <translation>，保留了 %1 的注意力</translation>
    </message>
    <message>
        <source>Compared: %1 tiles in both, %2 only here, %3 only there; Jaccard index %4.</source>
        <translation>比较：两者共有 %1 块，仅此处 %2 块，仅彼处 %3 块；杰卡德指数 %4。</translation>
    </message>
    <message>
        <source>painted</source>
        <translation>已绘制</translation>
    </message>
    <message>
        <source>erased</source>
        <translation>已擦除</translation>
    </message>
    <message>
        <source>This head reads the frames of one place together: such a mask cannot be painted.</source>
        <translation>此头按同一位置的各帧连续读取:这种掩码无法绘制。</translation>
    </message>
    <message>
        <source>Step %1, layer %2, head %3: no mask was kept of what this head computed.</source>
        <translation>第 %1 步，第 %2 层，第 %3 头：未保存此头实际计算的掩码。</translation>
    </message>
</context>
<context>
    <name>fw::ui::Memories</name>
    <message>
        <source>%1 tokens</source>
        <translation>%1 个词元</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>记忆</translation>
    </message>
    <message>
        <source>No scans here: only LinGen&apos;s models have them, and the probe &apos;scan&apos; shows how long they remember.</source>
        <translation>这里没有扫描:只有 LinGen 模型才有,探针 scan 显示其记忆长度。</translation>
    </message>
    <message>
        <source>how long it remembers</source>
        <translation>记忆多久</translation>
    </message>
    <message>
        <source>what it takes from the review tokens</source>
        <translation>从回顾词元中取得什么</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Tokens until half is forgotten, or the share of each review token in what the scan begins with</source>
        <translation>遗忘一半所经过的词元数,或每个回顾词元在扫描起点中的份额</translation>
    </message>
    <message>
        <source>Direction</source>
        <translation>方向</translation>
    </message>
    <message>
        <source>The scan reads the clip from both ends</source>
        <translation>扫描从两端读取片段</translation>
    </message>
    <message>
        <source>forwards</source>
        <translation>向前</translation>
    </message>
    <message>
        <source>backwards</source>
        <translation>向后</translation>
    </message>
    <message>
        <source>Nothing was kept of the scan here.</source>
        <translation>这里没有保留扫描的任何信息。</translation>
    </message>
    <message>
        <source>review tokens a head draws on</source>
        <translation>头所依据的回顾词元</translation>
    </message>
    <message>
        <source>tokens until half is forgotten, median of places</source>
        <translation>遗忘一半所经过的词元数,各位置中位数</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>头 %1</translation>
    </message>
    <message>
        <source>head %1: %2</source>
        <translation>头 %1:%2</translation>
    </message>
    <message>
        <source>share of each review token; step %1, layer %2, head %3</source>
        <translation>每个回顾词元的份额;第 %1 步,第 %2 层,头 %3</translation>
    </message>
    <message>
        <source>tokens until half is forgotten; step %1, layer %2, head %3</source>
        <translation>遗忘一半所经过的词元数;第 %1 步,第 %2 层,头 %3</translation>
    </message>
    <message>
        <source>share %1</source>
        <translation>份额 %1</translation>
    </message>
    <message>
        <source>share of the scan&apos;s beginning</source>
        <translation>扫描起点的份额</translation>
    </message>
    <message>
        <source>tokens, logarithmic</source>
        <translation>词元数,对数</translation>
    </message>
    <message>
        <source>This layer&apos;s path through the clip is not one of LinGen&apos;s four.</source>
        <translation>该层穿过片段的路径不属于 LinGen 的四种。</translation>
    </message>
    <message>
        <source>place in the sequence</source>
        <translation>在序列中的位置</translation>
    </message>
    <message>
        <source>tokens until half is forgotten, along the scan; range and mean</source>
        <translation>遗忘一半所经过的词元数,沿扫描方向；范围与均值</translation>
    </message>
    <message>
        <source>step %1, layer %2, head %3, %4</source>
        <translation>第 %1 步,第 %2 层,头 %3,%4</translation>
    </message>
    <message>
        <source>The scan begins with what is left of %1 review tokens, as if it took %2 of them evenly; %3.</source>
        <translation>扫描以 %1 个回顾词元的剩余部分为起点,相当于均匀取用其中 %2 个;%3。</translation>
    </message>
    <message>
        <source>Half is forgotten after %1 along the scan, median of places; %2.</source>
        <translation>沿扫描经过 %1 后遗忘一半,各位置中位数;%2。</translation>
    </message>
</context>
<context>
    <name>fw::ui::MethodForm</name>
    <message>
        <source>From %1 to %2%3.</source>
        <translation>范围 %1 至 %2%3。</translation>
    </message>
    <message>
        <source>on</source>
        <translation>开</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>Usually %1.</source>
        <translation>通常为 %1。</translation>
    </message>
    <message>
        <source>“%1” is not known to this machine&apos;s engine.</source>
        <translation>这台电脑的引擎不认识“%1”。</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
</context>
<context>
    <name>fw::ui::ModelPicker</name>
    <message>
        <source>%1 billion parameters</source>
        <translation>%1B 参数</translation>
    </message>
    <message>
        <source>%1 million parameters</source>
        <translation>%1M 参数</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Models found on this machine</source>
        <translation>在这台电脑上找到的模型</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Look for models in another folder as well</source>
        <translation>在其他文件夹中也查找模型</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Make clips with this model (Enter)</source>
        <translation>用此模型生成视频（Enter）</translation>
    </message>
    <message>
        <source>%1 (built in)</source>
        <translation>%1（内置）</translation>
    </message>
    <message>
        <source>%1 (cannot be used)</source>
        <translation>%1（无法使用）</translation>
    </message>
    <message>
        <source>%1, %2 on disk
Prefers %3 × %4 pixels, %5 frames at %6 per second, %7 steps
%8</source>
        <translation>%1，磁盘占用 %2
推荐 %3 × %4 像素，%5 帧，每秒 %6 帧，%7 步
%8</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>正在查找模型…</translation>
    </message>
    <message>
        <source>Folder with models</source>
        <translation>模型所在的文件夹</translation>
    </message>
</context>
<context>
    <name>fw::ui::Modules</name>
    <message>
        <source>Text encoder</source>
        <translation>文本编码器</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>嵌入</translation>
    </message>
    <message>
        <source>Self-attention, projections</source>
        <translation>自注意力，投影</translation>
    </message>
    <message>
        <source>Self-attention, core</source>
        <translation>自注意力，核心</translation>
    </message>
    <message>
        <source>Cross-attention</source>
        <translation>交叉注意力</translation>
    </message>
    <message>
        <source>Feed-forward</source>
        <translation>前馈</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>输出</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Decoder</source>
        <translation>解码器</translation>
    </message>
    <message>
        <source>Encoder</source>
        <translation>编码器</translation>
    </message>
    <message>
        <source>Blocks, from the cache</source>
        <translation>块，来自缓存</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>探针</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>种子 %1</translation>
    </message>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n 步</numerusform>
        </translation>
    </message>
    <message>
        <source>This run went on from step %1 of an earlier one: its trace, and what probes saw, begins there.</source>
        <translation>此次运行从先前运行的第 %1 步继续：其记录与探针所见均从该步开始。</translation>
    </message>
</context>
<context>
    <name>fw::ui::NoticeBar</name>
    <message>
        <source>Close this remark</source>
        <translation>关闭此提示</translation>
    </message>
</context>
<context>
    <name>fw::ui::Pair</name>
    <message>
        <source>nothing of this view</source>
        <translation>没有此视图的内容</translation>
    </message>
</context>
<context>
    <name>fw::ui::PresetMenu</name>
    <message>
        <source>Presets</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Keep these settings under a name, use kept ones, or pass them on</source>
        <translation>把这些参数命名保存，使用已存的预设，或分享给他人</translation>
    </message>
    <message>
        <source>The preset “%1” cannot be read; delete it and save it anew.</source>
        <translation>无法读取预设“%1”，请删除后重新保存。</translation>
    </message>
    <message>
        <source>A preset needs a name of 1 to %1 characters.</source>
        <translation>预设名称需为 1 到 %1 个字符。</translation>
    </message>
    <message>
        <source>There is a preset “%1” already; choose another name.</source>
        <translation>已有预设“%1”，请换一个名称。</translation>
    </message>
    <message>
        <source>Deleted the preset “%1”; the menu of presets can bring it back.</source>
        <translation>已删除预设“%1”，可从预设菜单中恢复。</translation>
    </message>
    <message>
        <source>Kept as the preset “%1”.</source>
        <translation>已保存为预设“%1”。</translation>
    </message>
    <message>
        <source>No presets yet</source>
        <translation>还没有预设</translation>
    </message>
    <message>
        <source>Save these settings…</source>
        <translation>保存这些参数…</translation>
    </message>
    <message>
        <source>Manage</source>
        <translation>管理</translation>
    </message>
    <message>
        <source>Bring back “%1”</source>
        <translation>恢复“%1”</translation>
    </message>
    <message>
        <source>Open a file…</source>
        <translation>打开文件…</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>粘贴</translation>
    </message>
    <message>
        <source>Use a preset that somebody sent as text</source>
        <translation>使用别人以文本形式发来的预设</translation>
    </message>
    <message>
        <source>Copy these settings</source>
        <translation>复制这些参数</translation>
    </message>
    <message>
        <source>As text, to send to somebody</source>
        <translation>以文本形式，便于发送</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>The settings were copied as text.</source>
        <translation>参数已复制为文本。</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>Save to a file…</source>
        <translation>保存到文件…</translation>
    </message>
    <message>
        <source>Copy as text</source>
        <translation>复制为文本</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Save preset</source>
        <translation>保存预设</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Replace the preset “%1”?</source>
        <translation>替换预设“%1”？</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Rename preset</source>
        <translation>重命名预设</translation>
    </message>
    <message>
        <source>Presets (*.json)</source>
        <translation>预设 (*.json)</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2</source>
        <translation>无法写入 %1：%2</translation>
    </message>
    <message>
        <source>Open preset</source>
        <translation>打开预设</translation>
    </message>
    <message>
        <source>Presets (*.json);;All files (*)</source>
        <translation>预设 (*.json);;所有文件 (*)</translation>
    </message>
    <message>
        <source>%1 cannot be read: %2</source>
        <translation>无法读取 %1：%2</translation>
    </message>
    <message>
        <source>Presets cannot be kept: no library is open.</source>
        <translation>无法保存预设：没有打开视频库。</translation>
    </message>
</context>
<context>
    <name>fw::ui::ProgressRow</name>
    <message>
        <source>Loading the model</source>
        <translation>加载模型</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>编码提示词</translation>
    </message>
    <message>
        <source>Forming the clip</source>
        <translation>去噪生成</translation>
    </message>
    <message>
        <source>Painting the frames</source>
        <translation>解码画面</translation>
    </message>
    <message>
        <source>Writing the file</source>
        <translation>写入文件</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Show now</source>
        <translation>立即预览</translation>
    </message>
    <message>
        <source>Stop and keep</source>
        <translation>停止并保留</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Stop now and keep nothing (Esc)</source>
        <translation>立即停止，不保留任何内容（Esc）</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>The exact picture comes after the step that is being computed</source>
        <translation>当前步算完后显示精确画面</translation>
    </message>
    <message>
        <source>Decode the clip as it is after this step; it goes on forming afterwards (E)</source>
        <translation>本步之后解码一次当前画面，随后继续生成（E）</translation>
    </message>
    <message>
        <source>There is something to decode while the clip forms</source>
        <translation>生成过程中才有可解码的内容</translation>
    </message>
    <message>
        <source>Stop forming the clip and save what there is now</source>
        <translation>停止生成并保存当前结果</translation>
    </message>
    <message>
        <source>There is something to keep after the first step</source>
        <translation>第一步完成后才有可保留的内容</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>第 %1/%2 步</translation>
    </message>
    <message>
        <source>%1 so far</source>
        <translation>已用 %1</translation>
    </message>
    <message>
        <source>almost done</source>
        <translation>即将完成</translation>
    </message>
    <message>
        <source>about %1 left</source>
        <translation>约剩 %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::PromptHistory</name>
    <message>
        <source>Search prompts</source>
        <translation>搜索提示词</translation>
    </message>
    <message>
        <source>Shows the prompts that contain these words</source>
        <translation>显示包含这些词语的提示词</translation>
    </message>
    <message>
        <source>Prompts used before</source>
        <translation>用过的提示词</translation>
    </message>
    <message>
        <source>Enter or a click puts the prompt into the form</source>
        <translation>按 Enter 或单击，把提示词填入表单</translation>
    </message>
    <message>
        <source>%1
Last used on %2</source>
        <translation>%1
最近使用：%2</translation>
    </message>
    <message>
        <source>Without: %1</source>
        <translation>反向：%1</translation>
    </message>
    <message>
        <source>Prompts appear here once clips were made of them.</source>
        <translation>用提示词生成过视频后，会显示在这里。</translation>
    </message>
    <message>
        <source>No prompt contains these words.</source>
        <translation>没有包含这些词语的提示词。</translation>
    </message>
</context>
<context>
    <name>fw::ui::PromptPanel</name>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>放弃</translation>
    </message>
    <message>
        <source>Leave the waiting job as it is</source>
        <translation>保持等待中的任务不变</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Change the waiting job to what the form says</source>
        <translation>按表单修改等待中的任务</translation>
    </message>
    <message>
        <source>Prompts used before</source>
        <translation>用过的提示词</translation>
    </message>
    <message>
        <source>Prompts used before (Ctrl+Up and Ctrl+Down step through them)</source>
        <translation>用过的提示词（Ctrl+↑ 和 Ctrl+↓ 逐条切换）</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>What the clip shows: who does what, and where</source>
        <translation>视频内容：谁在哪里做什么</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>Say what the clip should stay away from. Works only with guidance above 1.</source>
        <translation>写下视频中不要出现的内容，仅在引导强度大于 1 时有效。</translation>
    </message>
    <message>
        <source>What the clip should stay away from</source>
        <translation>视频中不要出现的内容</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>注意力</translation>
    </message>
    <message>
        <source>How the model looks at its own picture. Dense looks at everything; others leave out what matters little and are quicker.</source>
        <translation>模型如何观察自己的画面。稠密注意力关注全部内容，其他方法略去次要部分，速度更快。</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>步间缓存</translation>
    </message>
    <message>
        <source>Whether results of one step are used again in the next ones</source>
        <translation>是否在后续步中复用前一步的结果</translation>
    </message>
    <message>
        <source>Forecast</source>
        <translation>预估</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Editing job %1</source>
        <translation>正在编辑任务 %1</translation>
    </message>
    <message>
        <source>The model is being opened.</source>
        <translation>正在打开模型。</translation>
    </message>
    <message>
        <source>opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>%1
%2 million parameters, %3
%4</source>
        <translation>%1
%2M 参数，%3
%4</translation>
    </message>
    <message>
        <source>For example: %1</source>
        <translation>例如：%1</translation>
    </message>
    <message>
        <source>There is no model: %1</source>
        <translation>没有模型：%1</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>没有模型</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>已展开</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>已收起</translation>
    </message>
    <message>
        <source>1 character</source>
        <translation>1 个字符</translation>
    </message>
    <message>
        <source>%1 characters</source>
        <translation>%1 个字符</translation>
    </message>
    <message>
        <source>No forecast</source>
        <translation>无预估</translation>
    </message>
    <message>
        <source>Time, memory and tokens appear here.</source>
        <translation>这里显示时间、内存和 token 数。</translation>
    </message>
    <message>
        <source>%1 of memory</source>
        <translation>内存 %1</translation>
    </message>
    <message>
        <source>About %1, %2</source>
        <translation>约 %1，%2</translation>
    </message>
    <message>
        <source>About %1 for %2 clips, %3</source>
        <translation>约 %1，共 %2 个视频，%3</translation>
    </message>
    <message>
        <source>%1 tokens, %2</source>
        <translation>%1 token，%2</translation>
    </message>
    <message>
        <source>Each attention looks at %1 tokens: pieces of 2 × 2 latent pixels in space and one latent frame in time. The whole clip takes %2.</source>
        <translation>每次注意力计算涉及 %1 个 token：每个 token 在空间上为 2 × 2 个潜空间像素，在时间上为一个潜空间帧。整个视频需要 %2。</translation>
    </message>
    <message>
        <source>Run %1 clips</source>
        <translation>生成 %1 个视频</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Enter</translation>
    </message>
    <message>
        <source>Make the clip (%1)</source>
        <translation>生成视频（%1）</translation>
    </message>
    <message>
        <source>%1 runs, Esc cancels.</source>
        <translation>%1 生成，Esc 取消。</translation>
    </message>
    <message>
        <source>Save or discard the job you are editing first.</source>
        <translation>请先保存或放弃正在编辑的任务。</translation>
    </message>
    <message>
        <source>Write a prompt first.</source>
        <translation>请先写提示词。</translation>
    </message>
    <message>
        <source>The seed must be a whole number from 0 to 18446744073709551615.</source>
        <translation>种子必须是 0 到 18446744073709551615 之间的整数。</translation>
    </message>
    <message>
        <source>The prompt before</source>
        <translation>上一条提示词</translation>
    </message>
    <message>
        <source>The prompt after</source>
        <translation>下一条提示词</translation>
    </message>
    <message>
        <source>With %1</source>
        <translation>配合 %1</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>不使用</translation>
    </message>
    <message>
        <source>Use the model without these adapter weights</source>
        <translation>使用模型时不带这些适配器权重</translation>
    </message>
    <message>
        <source>LoRA is computed beside the model instead of being merged into it</source>
        <translation>LoRA 在模型旁单独计算，不并入模型</translation>
    </message>
</context>
<context>
    <name>fw::ui::Query</name>
    <message>
        <source>Patches and words</source>
        <translation>图块与词</translation>
    </message>
    <message>
        <source>attention of single patches or words</source>
        <translation>单个图块或词的注意力</translation>
    </message>
    <message>
        <source>where a patch attends</source>
        <translation>图块看向何处</translation>
    </message>
    <message>
        <source>word: %1</source>
        <translation>词：%1</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>The attention of one patch to all others, or of all patches to a word</source>
        <translation>一个图块对其他所有图块的注意力，或所有图块对一个词的注意力</translation>
    </message>
    <message>
        <source>Heads</source>
        <translation>注意力头</translation>
    </message>
    <message>
        <source>One head, or the mean of those that were kept</source>
        <translation>一个头，或所保留各头的平均</translation>
    </message>
    <message>
        <source>the chosen one</source>
        <translation>所选的头</translation>
    </message>
    <message>
        <source>mean of all</source>
        <translation>全部平均</translation>
    </message>
    <message>
        <source>attention to words</source>
        <translation>对词的注意力</translation>
    </message>
    <message>
        <source>attention of single patches</source>
        <translation>单个图块的注意力</translation>
    </message>
    <message>
        <source>attention %1</source>
        <translation>注意力 %1</translation>
    </message>
    <message>
        <source>skipped by the method</source>
        <translation>被方法跳过</translation>
    </message>
    <message>
        <source>attention mass, square root</source>
        <translation>注意力权重，平方根</translation>
    </message>
    <message>
        <source>kept exactly</source>
        <translation>精确保留</translation>
    </message>
    <message>
        <source>step %1, layer %2</source>
        <translation>第 %1 步，第 %2 层</translation>
    </message>
    <message>
        <source>Attention of all patches to the word &apos;%1&apos;, %2, mean of heads.</source>
        <translation>所有图块对词“%1”的注意力，%2，各头平均。</translation>
    </message>
    <message>
        <source>The patch at %1 attends most to %2 (%3); %4, %5.</source>
        <translation>位于%1的图块最关注%2（%3）；%4，%5。</translation>
    </message>
    <message>
        <source>mean of heads</source>
        <translation>各头平均</translation>
    </message>
    <message>
        <source>head %1</source>
        <translation>第 %1 头</translation>
    </message>
    <message>
        <source>From the pooled map: each block&apos;s mass is shared out evenly.</source>
        <translation>来自分块图：每块的权重在块内均分。</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueueModel</name>
    <message>
        <source>Text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Denoise</source>
        <translation>去噪</translation>
    </message>
    <message>
        <source>Decode</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>Encode</source>
        <translation>编码</translation>
    </message>
    <message>
        <source>%1 × %2</source>
        <translation>%1 × %2</translation>
    </message>
    <message>
        <source>%1 frames</source>
        <translation>%1 帧</translation>
    </message>
    <message>
        <source>%1 steps</source>
        <translation>%1 步</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>种子 %1</translation>
    </message>
    <message>
        <source>Settings that cannot be read</source>
        <translation>参数无法读取</translation>
    </message>
    <message>
        <source>No prompt</source>
        <translation>无提示词</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>正在运行</translation>
    </message>
    <message>
        <source>Waiting  ·  %1</source>
        <translation>等待中  ·  %1</translation>
    </message>
    <message>
        <source>Failed  ·  %1</source>
        <translation>失败  ·  %1</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>Interrupted, goes on after step %1</source>
        <translation>已中断，将从第 %1 步之后继续</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>已中断</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>第 %1/%2 步</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>加载模型</translation>
    </message>
    <message>
        <source>almost done</source>
        <translation>即将完成</translation>
    </message>
    <message>
        <source>about %1 left</source>
        <translation>约剩 %1</translation>
    </message>
    <message>
        <source>waiting, place %1</source>
        <translation>等待中，第 %1 位</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>%1 of a batch of %2</source>
        <translation>批次中第 %1 个，共 %2 个</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>Recently finished  ·  %1</source>
        <translation>最近完成  ·  %1</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueuePanel</name>
    <message>
        <source>Clear finished jobs</source>
        <translation>清除已完成的任务</translation>
    </message>
    <message>
        <source>Take finished and cancelled jobs off this list. Their clips stay in the library.</source>
        <translation>把已完成和已取消的任务移出列表，视频仍保留在库中。</translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation>显示视频</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>编辑…</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Use its settings</source>
        <translation>使用其参数</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>复制任务</translation>
    </message>
    <message>
        <source>Select the whole batch</source>
        <translation>选择整个批次</translation>
    </message>
    <message>
        <source>Run next</source>
        <translation>下一个运行</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>上移</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>下移</translation>
    </message>
    <message>
        <source>Copy the error</source>
        <translation>复制错误信息</translation>
    </message>
    <message>
        <source>Stop and keep what there is</source>
        <translation>停止并保留当前结果</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Remove from the queue</source>
        <translation>从队列移除</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Paused after this one</source>
        <translation>当前任务完成后暂停</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>%1 waiting</source>
        <translation>%1 个等待中</translation>
    </message>
    <message>
        <source>The last one is running</source>
        <translation>正在运行最后一个</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Resume the queue</source>
        <translation>继续队列</translation>
    </message>
    <message>
        <source>Pause the queue</source>
        <translation>暂停队列</translation>
    </message>
    <message>
        <source>Go on with the jobs that wait</source>
        <translation>继续处理等待中的任务</translation>
    </message>
    <message>
        <source>Start no further job. The one that is running is finished.</source>
        <translation>不再开始新任务，正在运行的会完成。</translation>
    </message>
    <message>
        <source>The settings of this job cannot be read.</source>
        <translation>无法读取此任务的参数。</translation>
    </message>
    <message>
        <source>One job removed.</source>
        <translation>已移除 1 个任务。</translation>
    </message>
    <message>
        <source>%1 jobs removed.</source>
        <translation>已移除 %1 个任务。</translation>
    </message>
    <message>
        <source>One job cancelled.</source>
        <translation>已取消一个任务。</translation>
    </message>
    <message>
        <source>%1 jobs cancelled.</source>
        <translation>已取消 %1 个任务。</translation>
    </message>
    <message>
        <source>Nothing is queued</source>
        <translation>队列是空的</translation>
    </message>
    <message>
        <source>Write a prompt and press Ctrl+Enter, as often as you like: every clip you ask for waits here until it is made.</source>
        <translation>写好提示词后按 Ctrl+Enter，次数不限：每个视频都会在这里排队，直到生成完成。</translation>
    </message>
    <message>
        <source>Nothing waiting</source>
        <translation>无等待任务</translation>
    </message>
</context>
<context>
    <name>fw::ui::QueueView</name>
    <message>
        <source>Queue</source>
        <translation>队列</translation>
    </message>
    <message>
        <source>Enter edits or shows a job, Alt with the up and down keys moves it, Delete removes it.</source>
        <translation>Enter 编辑或显示任务，Alt 加上下方向键移动任务，Delete 移除任务。</translation>
    </message>
    <message>
        <source>Fold or unfold what is done</source>
        <translation>折叠或展开已完成的任务</translation>
    </message>
</context>
<context>
    <name>fw::ui::Removals</name>
    <message>
        <source>remove jobs from the queue</source>
        <translation>从队列移除任务</translation>
    </message>
</context>
<context>
    <name>fw::ui::SavedSearchMenu</name>
    <message>
        <source>Saved searches</source>
        <translation>已保存的搜索</translation>
    </message>
    <message>
        <source>Keep this search under a name, or use a kept one</source>
        <translation>为此搜索命名并保存，或使用已保存的搜索</translation>
    </message>
    <message>
        <source>Deleted the search “%1”; the menu of saved searches can bring it back.</source>
        <translation>已删除搜索“%1”；可在已保存的搜索菜单中恢复。</translation>
    </message>
    <message>
        <source>No saved searches yet</source>
        <translation>还没有已保存的搜索</translation>
    </message>
    <message>
        <source>Save this search…</source>
        <translation>保存此搜索…</translation>
    </message>
    <message>
        <source>With its project and its order</source>
        <translation>连同项目和排序一起保存</translation>
    </message>
    <message>
        <source>Manage</source>
        <translation>管理</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>重命名…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Bring back “%1”</source>
        <translation>恢复“%1”</translation>
    </message>
    <message>
        <source>Save search</source>
        <translation>保存搜索</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Replace the search “%1”?</source>
        <translation>替换搜索“%1”？</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>保留</translation>
    </message>
    <message>
        <source>Rename search</source>
        <translation>重命名搜索</translation>
    </message>
</context>
<context>
    <name>fw::ui::Scans</name>
    <message>
        <source>rows within a frame (S-row)</source>
        <translation>帧内按行（S-row）</translation>
    </message>
    <message>
        <source>columns within a frame (S-col)</source>
        <translation>帧内按列（S-col）</translation>
    </message>
    <message>
        <source>through time, along rows (T-row)</source>
        <translation>沿时间，逐行（T-row）</translation>
    </message>
    <message>
        <source>through time, along columns (T-col)</source>
        <translation>沿时间，逐列（T-col）</translation>
    </message>
    <message>
        <source>Scan</source>
        <translation>扫描</translation>
    </message>
    <message>
        <source>This trace does not say the grid of its tokens.</source>
        <translation>此记录没有说明词元的网格。</translation>
    </message>
    <message>
        <source>Layer %1: %2</source>
        <translation>第 %1 层：%2</translation>
    </message>
    <message>
        <source>Layers %1, %2, …</source>
        <translation>层 %1、%2…</translation>
    </message>
    <message>
        <source>place in the sequence</source>
        <translation>在序列中的位置</translation>
    </message>
    <message>
        <source>Neighbours lie %1 apart in time, %2 in height, %3 in width.</source>
        <translation>相邻词元的间隔：时间 %1，高度 %2，宽度 %3。</translation>
    </message>
    <message>
        <source>Frame %1, row %2, column %3
place %4 of %5</source>
        <translation>第 %1 帧，第 %2 行，第 %3 列
位置 %4 / %5</translation>
    </message>
    <message>
        <source>The first %1 × %2 × %3 tokens of %4 × %5 × %6.</source>
        <translation>%4 × %5 × %6 个词元中的前 %1 × %2 × %3 个。</translation>
    </message>
    <message>
        <source>Layer %1 reads %2 × %3 × %4 tokens %5.</source>
        <translation>第 %1 层读取 %2 × %3 × %4 个词元：%5。</translation>
    </message>
    <message>
        <source>No scan was seen in this run: the path is what LinGen would take through its tokens.</source>
        <translation>此次运行中没有观察到扫描:所示为 LinGen 会在其词元间经过的路径。</translation>
    </message>
</context>
<context>
    <name>fw::ui::ScrubBar</name>
    <message>
        <source>plays from %1 to %2</source>
        <translation>播放第 %1 到 %2 帧</translation>
    </message>
</context>
<context>
    <name>fw::ui::SeedField</name>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Which noise the clip grows from. The same seed and settings give the same clip again.</source>
        <translation>视频从哪份噪声生成。种子和参数相同，结果就相同。</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>新种子</translation>
    </message>
    <message>
        <source>Draw another seed</source>
        <translation>随机换一个种子</translation>
    </message>
    <message>
        <source>Keep the seed</source>
        <translation>固定种子</translation>
    </message>
    <message>
        <source>The seed is kept. Click to draw a new one for every clip.</source>
        <translation>种子已固定。点击后每个视频都会随机取新种子。</translation>
    </message>
    <message>
        <source>A new seed is drawn for every clip. Click to keep this one.</source>
        <translation>每个视频都会随机取新种子。点击可固定当前种子。</translation>
    </message>
</context>
<context>
    <name>fw::ui::Settings</name>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>反向提示词</translation>
    </message>
    <message>
        <source>Model folder</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>注意力</translation>
    </message>
    <message>
        <source>Step cache</source>
        <translation>步间缓存</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source>Frames per second</source>
        <translation>每秒帧数</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>Shift</source>
        <translation>时间步偏移</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Asked for device</source>
        <translation>请求的设备</translation>
    </message>
    <message>
        <source>Asked for precision</source>
        <translation>请求的精度</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>线程数</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>权重</translation>
    </message>
    <message>
        <source>Ran on</source>
        <translation>运行设备</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>Program version</source>
        <translation>程序版本</translation>
    </message>
    <message>
        <source>Time taken</source>
        <translation>耗时</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Size on disk</source>
        <translation>文件大小</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>生成时间</translation>
    </message>
    <message>
        <source>Weights hash</source>
        <translation>权重哈希</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>loading</source>
        <translation>加载</translation>
    </message>
    <message>
        <source>text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>去噪</translation>
    </message>
    <message>
        <source>decoding</source>
        <translation>解码</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>写入</translation>
    </message>
    <message>
        <source>Peak memory</source>
        <translation>内存峰值</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>轨迹文件</translation>
    </message>
    <message>
        <source>Not written</source>
        <translation>未写入</translation>
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
        <translation>设置</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Light or dark windows</source>
        <translation>窗口使用浅色或深色</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Tell me when a clip is done and I am elsewhere</source>
        <translation>我在做别的事时，视频完成后通知我</translation>
    </message>
    <message>
        <source>A notification of the desktop, only while another window is active</source>
        <translation>桌面通知，仅在其他窗口处于活动状态时显示</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Show the library&apos;s folder. Another one: framewright --library FOLDER</source>
        <translation>显示视频库文件夹。使用其他文件夹：framewright --library FOLDER</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>视频库</translation>
    </message>
    <message>
        <source>The language of all texts, from the next start on</source>
        <translation>所有文字的语言，下次启动时生效</translation>
    </message>
    <message>
        <source>The language changes when Framewright is started again.</source>
        <translation>重新启动 Framewright 后切换语言。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Steps from one preview to the next</source>
        <translation>两次预览之间的步数</translation>
    </message>
    <message>
        <source>How often the clip in the making is shown: after every so many steps, from the next clip on</source>
        <translation>多久显示一次正在制作的片段：每隔这么多步，从下一个片段开始</translation>
    </message>
    <message>
        <source>every </source>
        <comment>so many steps</comment>
        <translation>每 </translation>
    </message>
    <message>
        <source>Time for previews, percent</source>
        <translation>预览所占时间，百分比</translation>
    </message>
    <message>
        <source>Previews are left out while they would take more of the time than this</source>
        <translation>预览若会占用更多时间就会被跳过</translation>
    </message>
    <message>
        <source>at most </source>
        <comment>so much of the time</comment>
        <translation>最多 </translation>
    </message>
    <message>
        <source> % of the time</source>
        <translation> % 的时间</translation>
    </message>
    <message>
        <source>Previews</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>Folders with models</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Where models are looked for, beside the one that is built in</source>
        <translation>除内置模型外，在哪里查找模型</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>添加…</translation>
    </message>
    <message>
        <source>Look for models in another folder as well</source>
        <translation>在另一个文件夹中也查找模型</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Look no longer in this folder. Nothing in it is deleted.</source>
        <translation>不再在此文件夹中查找。其中的内容不会被删除。</translation>
    </message>
    <message>
        <source>Folder with models</source>
        <translation>含有模型的文件夹</translation>
    </message>
    <message>
        <source>Model folders</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source> step</source>
        <comment>every 1</comment>
        <translation> 步</translation>
    </message>
    <message>
        <source> steps</source>
        <comment>every 2</comment>
        <translation> 步</translation>
    </message>
</context>
<context>
    <name>fw::ui::SettingsForm</name>
    <message>
        <source>square</source>
        <translation>方形</translation>
    </message>
    <message>
        <source>wide</source>
        <translation>横向</translation>
    </message>
    <message>
        <source>tall</source>
        <translation>纵向</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Width and height of the clip in pixels. Larger clips take much longer.</source>
        <translation>视频的宽和高（像素）。尺寸越大，耗时越长。</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>尺寸</translation>
    </message>
    <message>
        <source>Width in pixels</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>Height in pixels</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source>How many frames the clip has. Longer clips take much longer to make.</source>
        <translation>视频的帧数。越长，生成耗时越久。</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>长度</translation>
    </message>
    <message>
        <source>Number of frames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source> per second</source>
        <translation> 帧/秒</translation>
    </message>
    <message>
        <source>Frames shown in a second. The model learned its own rate: others play the same movement faster or slower.</source>
        <translation>每秒显示的帧数。模型按训练时的帧率学习运动，换用其他帧率会使同样的动作变快或变慢。</translation>
    </message>
    <message>
        <source>Frame rate</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source>Sampling</source>
        <translation>采样</translation>
    </message>
    <message>
        <source>How many times the clip is refined. More steps look cleaner and take longer.</source>
        <translation>去噪迭代的次数。步数越多画面越干净，耗时也越长。</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>How closely the clip follows the prompt. 1 switches guidance off and halves the time; high values look harsh.</source>
        <translation>视频贴合提示词的程度。设为 1 即关闭引导，耗时减半；过高会使画面生硬。</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>How much of the work goes into the whole picture rather than its details. Larger clips want more.</source>
        <translation>有多少去噪用于整体构图而非细节。尺寸越大，适合的值越高。</translation>
    </message>
    <message>
        <source>Shift</source>
        <translation>时间步偏移</translation>
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
        <translation>如何从一步走到下一步。UniPC 所需步数更少，Euler 是最基础的参照。</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>采样器</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>%1 × %2, %3</source>
        <translation>%1 × %2，%3</translation>
    </message>
    <message>
        <source>Custom…</source>
        <translation>自定义…</translation>
    </message>
    <message>
        <source>1 frame, a still</source>
        <translation>1 帧，静止图像</translation>
    </message>
    <message>
        <source>%1 frames, %2</source>
        <translation>%1 帧，%2</translation>
    </message>
</context>
<context>
    <name>fw::ui::ShortcutSheet</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>键盘快捷键</translation>
    </message>
    <message>
        <source>%1 panel</source>
        <translation>“%1”面板</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageCanvas</name>
    <message>
        <source>Clip</source>
        <translation>视频</translation>
    </message>
    <message>
        <source>Space plays and pauses, the arrow keys step by one frame, plus and minus zoom, zero fits the window.</source>
        <translation>空格键播放和暂停，方向键逐帧移动，加减号缩放，0 适应窗口。</translation>
    </message>
    <message>
        <source>The first look comes with the first step.</source>
        <translation>第一步完成后显示首个画面。</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageDirector</name>
    <message>
        <source>Finished: %1</source>
        <translation>已完成：%1</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Not made: %1. %2</source>
        <translation>未能生成：%1。%2</translation>
    </message>
</context>
<context>
    <name>fw::ui::StageWidget</name>
    <message>
        <source>Frame %1 is on the clipboard.</source>
        <translation>第 %1 帧已复制到剪贴板。</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>预览</translation>
    </message>
    <message>
        <source>%1 frame %2.png</source>
        <translation>%1 第 %2 帧.png</translation>
    </message>
    <message>
        <source>Save this frame</source>
        <translation>保存此帧</translation>
    </message>
    <message>
        <source>PNG picture (*.png)</source>
        <translation>PNG 图片 (*.png)</translation>
    </message>
    <message>
        <source>Saved as %1</source>
        <translation>已保存为 %1</translation>
    </message>
    <message>
        <source>%1 cannot be written: %2</source>
        <translation>无法写入 %1：%2</translation>
    </message>
    <message>
        <source>%1 steps</source>
        <translation>%1 步</translation>
    </message>
    <message>
        <source>guidance %1</source>
        <translation>引导强度 %1</translation>
    </message>
    <message>
        <source>seed %1</source>
        <translation>种子 %1</translation>
    </message>
    <message>
        <source>%1 × %2  ·  %3 frames at %4 per second</source>
        <translation>%1 × %2  ·  %3 帧，每秒 %4 帧</translation>
    </message>
    <message>
        <source>Run again</source>
        <translation>再次生成</translation>
    </message>
    <message>
        <source>Make this clip after all (Ctrl+Enter)</source>
        <translation>还是生成此视频（Ctrl+Enter）</translation>
    </message>
    <message>
        <source>Step %1 of %2, decoded exactly</source>
        <translation>第 %1/%2 步，精确解码</translation>
    </message>
    <message>
        <source>Preview of step %1 of %2</source>
        <translation>第 %1/%2 步的预览</translation>
    </message>
    <message>
        <source>Cancelled. Nothing was saved.</source>
        <translation>已取消，没有保存任何内容。</translation>
    </message>
    <message>
        <source>Cancelled at %1. Nothing was saved.</source>
        <translation>已在%1取消，没有保存任何内容。</translation>
    </message>
    <message>
        <source>made in %1</source>
        <translation>用时 %1</translation>
    </message>
    <message>
        <source>The preview before</source>
        <translation>上一个预览</translation>
    </message>
    <message>
        <source>The next preview</source>
        <translation>下一个预览</translation>
    </message>
    <message>
        <source>An exact preview now</source>
        <translation>立即生成精确预览</translation>
    </message>
    <message>
        <source>Copy this frame</source>
        <translation>复制此帧</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>播放或暂停</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>后退一帧</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>前进一帧</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>到开头</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>到结尾</translation>
    </message>
    <message>
        <source>Play backwards, faster</source>
        <translation>倒放，加速</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Play forwards, faster</source>
        <translation>正放，加速</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>减速</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>加速</translation>
    </message>
    <message>
        <source>The loop begins here</source>
        <translation>从此帧开始循环</translation>
    </message>
    <message>
        <source>The loop ends here</source>
        <translation>到此帧结束循环</translation>
    </message>
    <message>
        <source>Loop over the whole clip</source>
        <translation>循环整段视频</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>放大</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>缩小</translation>
    </message>
    <message>
        <source>Fit the stage</source>
        <translation>适应窗口</translation>
    </message>
    <message>
        <source>Actual size</source>
        <translation>实际大小</translation>
    </message>
    <message>
        <source>Player</source>
        <translation>播放器</translation>
    </message>
</context>
<context>
    <name>fw::ui::StarField</name>
    <message>
        <source>Stars: click, or press 0 to 5</source>
        <translation>星级：单击，或按 0 到 5</translation>
    </message>
    <message>
        <source>Stars: the clips differ</source>
        <translation>星级：所选视频不一致</translation>
    </message>
    <message>
        <source>Stars: %1 of 5</source>
        <translation>星级：%1/5</translation>
    </message>
</context>
<context>
    <name>fw::ui::StepBar</name>
    <message>
        <source>Denoising step</source>
        <translation>去噪步</translation>
    </message>
    <message>
        <source>Drag to see how the clip formed, step by step (Alt+Left, Alt+Right). A diamond marks a step that was decoded exactly.</source>
        <translation>拖动查看视频逐步成形的过程（Alt+←、Alt+→）。菱形表示该步经过精确解码。</translation>
    </message>
    <message>
        <source>Denoising</source>
        <translation>去噪</translation>
    </message>
    <message>
        <source>Show the newest</source>
        <translation>显示最新</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>第 %1/%2 步</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>第 %1 步</translation>
    </message>
    <message>
        <source>Show the clip</source>
        <translation>显示视频</translation>
    </message>
    <message>
        <source>Back to the finished clip</source>
        <translation>回到完成的视频</translation>
    </message>
    <message>
        <source>Follow the clip as it forms again</source>
        <translation>继续跟随生成过程</translation>
    </message>
</context>
<context>
    <name>fw::ui::TransportBar</name>
    <message>
        <source>Previous frame</source>
        <translation>上一帧</translation>
    </message>
    <message>
        <source>One frame back (Left)</source>
        <translation>后退一帧（←）</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Next frame</source>
        <translation>下一帧</translation>
    </message>
    <message>
        <source>One frame on (Right)</source>
        <translation>前进一帧（→）</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>How fast it plays (&lt; and &gt;). J, K and L play back, pause and on.</source>
        <translation>播放速度（&lt; 和 &gt;）。J、K、L 倒放、暂停和播放。</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>循环</translation>
    </message>
    <message>
        <source>Begin again at the end</source>
        <translation>播完后从头开始</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>How large the picture is (plus, minus, 0 and 1, or the mouse wheel)</source>
        <translation>画面大小（加号、减号、0 和 1，或鼠标滚轮）</translation>
    </message>
    <message>
        <source>Scaling</source>
        <translation>缩放方式</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Frames and the part that is played</source>
        <translation>帧和播放区间</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>另存为…</translation>
    </message>
    <message>
        <source>Save a copy in a format of your choice (Ctrl+S)</source>
        <translation>以所选格式另存一份（Ctrl+S）</translation>
    </message>
    <message>
        <source>Fit the window</source>
        <translation>适应窗口</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1%</translation>
    </message>
    <message>
        <source>Copy this frame</source>
        <translation>复制此帧</translation>
    </message>
    <message>
        <source>Ctrl+C</source>
        <translation>Ctrl+C</translation>
    </message>
    <message>
        <source>Save this frame as PNG…</source>
        <translation>将此帧保存为 PNG…</translation>
    </message>
    <message>
        <source>Ctrl+Shift+S</source>
        <translation>Ctrl+Shift+S</translation>
    </message>
    <message>
        <source>Play from here</source>
        <translation>从这里开始播放</translation>
    </message>
    <message>
        <source>Play up to here</source>
        <translation>播放到这里</translation>
    </message>
    <message>
        <source>Play all of it</source>
        <translation>播放全部</translation>
    </message>
    <message>
        <source>Scaled smoothly. Click to see the pixels as they are.</source>
        <translation>当前为平滑缩放，点击查看原始像素。</translation>
    </message>
    <message>
        <source>Pixels as they are. Click to scale smoothly.</source>
        <translation>当前显示原始像素，点击切换为平滑缩放。</translation>
    </message>
    <message>
        <source>smooth</source>
        <translation>平滑</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>像素</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>正在保存…</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>播放</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>暂停（空格）</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>播放（空格）</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适应</translation>
    </message>
</context>
<context>
    <name>fw::ui::Views</name>
    <message>
        <source>This run kept no %1.
Make it again with probes (fw generate --probe default): the seed stays, so the clip stays the same.</source>
        <translation>此次运行没有保留%1。
请带探针重新生成（fw generate --probe default）：种子不变，片段也不变。</translation>
    </message>
</context>
<context>
    <name>fw::ui::WhatIfBar</name>
    <message>
        <source>Paint</source>
        <translation>绘制</translation>
    </message>
    <message>
        <source>Draw on the mask of the chosen head: what if it computed these tiles?</source>
        <translation>在所选头的掩码上绘制:如果它计算这些块会怎样?</translation>
    </message>
    <message>
        <source>Compute this step</source>
        <translation>计算此步</translation>
    </message>
    <message>
        <source>What if the step cache stood aside at the chosen step, and everything were computed?</source>
        <translation>如果步缓存在所选步让开、全部重新计算会怎样?</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Takes back the last change made by hand</source>
        <translation>撤回上一次手动更改</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>放弃</translation>
    </message>
    <message>
        <source>Forgets all changes made by hand</source>
        <translation>丢弃所有手动更改</translation>
    </message>
    <message>
        <source>Adds the clip to the queue again, with the same seed and these changes; when it is made, both are shown side by side</source>
        <translation>将片段再次加入队列,使用相同种子和这些更改;生成后并排显示两者</translation>
    </message>
    <message>
        <source>Make it again from step %1</source>
        <translation>从第 %1 步重新生成</translation>
    </message>
    <message>
        <source>Make it again so</source>
        <translation>如此重新生成</translation>
    </message>
    <message numerus="yes">
        <source>%n heads painted</source>
        <translation>
            <numerusform>已绘制 %n 个头</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n steps to compute</source>
        <translation>
            <numerusform>待计算 %n 步</numerusform>
        </translation>
    </message>
    <message>
        <source>What if this were different from the chosen step on?</source>
        <translation>如果从所选步骤起这一项有所不同，会怎样？</translation>
    </message>
    <message numerus="yes">
        <source>%n settings changed</source>
        <translation>
            <numerusform>已更改 %n 项设置</numerusform>
        </translation>
    </message>
    <message>
        <source>can be changed once the clip is made</source>
        <translation>片段生成后才能更改</translation>
    </message>
</context>
</TS>
